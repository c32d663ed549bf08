import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AccessKeys, parseAccessKey } from '../../../server/artifacts/s3/access-keys';
import { awsKeys } from '../../../server/artifacts/s3/credentials/aws-keys';
import { Failure } from '../../../shared/failure';
import { temporaryFolder } from '../../support/temporary-folder';
import { testServices } from '../../support/test-services';

const signal = new AbortController().signal;

async function keysOf(environment: Readonly<Record<string, string>>) {
  const { http, policy } = await testServices();
  return awsKeys({ HOME: '/nowhere', ...environment }, { http, policy }, Date.now);
}

async function fileWith(content: string): Promise<string> {
  const path = join(await temporaryFolder(), 'file');
  await writeFile(path, content);
  return path;
}

/** A security token service that notes what it is asked. */
async function tokenService(status: number, answer: string) {
  const asked: URLSearchParams[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    asked.push(new URLSearchParams(await text(request)));
    response.writeHead(status).end(answer);
  };
  const server = createServer((request, response) => void serve(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { asked, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const ASSUMED = `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
  <AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
  <Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;

describe('an access key', () => {
  it.each([
    ['KEY:secret', { id: 'KEY', secret: 'secret', sessionToken: undefined }],
    [' KEY:sec/ret+=:to:ken== ', { id: 'KEY', secret: 'sec/ret+=', sessionToken: 'to:ken==' }],
    ['KEY', undefined],
    ['KEY:', undefined],
    [':secret', undefined],
    ['KEY:sec ret', undefined]
  ])('is stored as %s', (stored, key) => {
    expect(parseAccessKey(stored)).toEqual(key);
  });

  it('is read anew shortly before it ends', async () => {
    let now = 0;
    let count = 0;
    const read = async () => ({ id: `KEY${(count += 1)}`, secret: 's', endsAtUnixMs: now + 3_600_000 });
    const keys = new AccessKeys('the test', read, () => now);
    const ids: string[] = [];
    for (now of [0, 3_000_000, 3_500_000]) ids.push((await keys.current(signal)).id);
    expect(ids).toEqual(['KEY1', 'KEY1', 'KEY2']);
  });

  it('is read once for all who need it at the same time, and so is another one when it is refused', async () => {
    let count = 0;
    const read = async () => ({ id: `KEY${(count += 1)}`, secret: 's' });
    const keys = new AccessKeys('the test', read, () => 0);
    const [first, ...others] = await Promise.all([1, 2, 3].map(() => keys.current(signal)));
    expect(others).toEqual([first, first]);
    const refused = first!;
    const again = await Promise.all([1, 2, 3].map(() => keys.another(refused, signal)));
    expect(again.map((key) => key?.id)).toEqual(['KEY2', 'KEY2', 'KEY2']);
    expect(count).toBe(2);
  });

  it('is read again by those who still need it when who began to read it gave up', async () => {
    let count = 0;
    const read = async (reading: AbortSignal) => {
      count += 1;
      await new Promise((done) => setImmediate(done));
      reading.throwIfAborted();
      return { id: `KEY${count}`, secret: 's' };
    };
    const keys = new AccessKeys('the test', read, () => 0);
    const given = new AbortController();
    const first = keys.current(given.signal);
    const others = Promise.all([keys.current(signal), keys.current(signal)]);
    given.abort();
    await expect(first).rejects.toThrow();
    expect((await others).map(({ id }) => id)).toEqual(['KEY2', 'KEY2']);
    expect(count).toBe(2);
  });

  it('that cannot be read is told to all who wait for it', async () => {
    let count = 0;
    const read = async (): Promise<never> => {
      count += 1;
      throw new Failure('credential-missing', 'There is none.');
    };
    const keys = new AccessKeys('the test', read, () => 0);
    const told = await Promise.allSettled([keys.current(signal), keys.current(signal)]);
    expect(told.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(count).toBe(1);
  });
});

describe('the key of AWS’s own tools', () => {
  it('comes from the environment first', async () => {
    const keys = await keysOf({
      AWS_ACCESS_KEY_ID: 'ENV',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_SESSION_TOKEN: 'token',
      AWS_PROFILE: 'other'
    });
    expect(await keys.current(signal)).toEqual({ id: 'ENV', secret: 'secret', sessionToken: 'token' });
  });

  it('comes from the profile, in which credentials win over the configuration', async () => {
    const config = '[default]\nregion = x\n[profile work]\naws_access_key_id = CONFIG\naws_secret_access_key = c\n';
    const credentials =
      '# ours\n[default]\naws_access_key_id=DEFAULT\naws_secret_access_key=d\n\n[work]\r\naws_access_key_id = WORK ; a note\r\n';
    const files = {
      AWS_CONFIG_FILE: await fileWith(config),
      AWS_SHARED_CREDENTIALS_FILE: await fileWith(credentials)
    };
    expect(await (await keysOf(files)).current(signal)).toMatchObject({ id: 'DEFAULT', secret: 'd' });
    const work = await keysOf({ ...files, AWS_PROFILE: 'work' });
    expect(await work.current(signal)).toMatchObject({ id: 'WORK', secret: 'c' });
  });

  it('is exchanged for a token, which goes into the body of one request', async () => {
    const service = await tokenService(200, ASSUMED);
    const keys = await keysOf({
      AWS_WEB_IDENTITY_TOKEN_FILE: await fileWith('the-token\n'),
      AWS_ROLE_ARN: 'arn:aws:iam::1:role/ci',
      AWS_ENDPOINT_URL_STS: service.endpoint
    });
    for (let time = 0; time < 2; time += 1) {
      expect(await keys.current(signal)).toMatchObject({ id: 'ASIA', secret: 's', sessionToken: 't' });
    }
    expect(service.asked.map((form) => Object.fromEntries(form))).toEqual([
      expect.objectContaining({
        Action: 'AssumeRoleWithWebIdentity',
        RoleArn: 'arn:aws:iam::1:role/ci',
        WebIdentityToken: 'the-token'
      })
    ]);
  });

  it('that is refused for a token says why, without the token', async () => {
    const service = await tokenService(
      400,
      '<ErrorResponse><Error><Code>ExpiredTokenException</Code></Error></ErrorResponse>'
    );
    const keys = await keysOf({
      AWS_WEB_IDENTITY_TOKEN_FILE: await fileWith('CANARY'),
      AWS_ROLE_ARN: 'arn:aws:iam::1:role/ci',
      AWS_ENDPOINT_URL_STS: service.endpoint
    });
    const failure = await keys.current(signal).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'http-status', message: expect.stringContaining('ExpiredTokenException') });
    expect(JSON.stringify(failure)).not.toContain('CANARY');
  });

  it.each([
    ['', /no access key/],
    ['[default]\nsso_session = corp\n', /sso_session, which is not supported/]
  ])('that is nowhere says what to do: %j', async (config, message) => {
    const keys = await keysOf({ AWS_CONFIG_FILE: await fileWith(config) });
    await expect(keys.current(signal)).rejects.toMatchObject({
      code: 'credential-missing',
      message: expect.stringMatching(message),
      nextStep: expect.stringMatching(/\S/)
    });
  });
});

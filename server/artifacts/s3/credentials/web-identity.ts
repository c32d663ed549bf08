import { readFile } from 'node:fs/promises';
import { Failure } from '../../../../shared/failure';
import { fileFailure } from '../../../platform/system-error';
import type { HttpClient } from '../../../pull/http/http-client';
import { networkFault, refused } from '../../../pull/http/http-faults';
import { readable } from '../../../pull/http/http-opening';
import { checkedAddress } from '../../../pull/http/web-address';
import type { AddressPolicy } from '../../../pull/network/address-policy';
import type { AccessKey } from '../access-keys';
import { childOf, parseXml, textOf } from '../xml';

/** A role that whoever has a token may take on. */
export interface WebIdentity {
  /** Path of the file that holds the token; it is written anew from time to time. */
  readonly tokenFile: string;
  readonly role: string;
  readonly session: string;
  readonly region: string;
  /** Of the security token service; undefined for AWS's own. */
  readonly endpoint: string | undefined;
}

export interface WebIdentityTools {
  readonly http: HttpClient;
  readonly policy: AddressPolicy;
}

/** The longest answer of the service, in bytes. */
const LONGEST_ANSWER = 64 * 1024;

/**
 * Exchanges a token for a key that lasts for some time (AssumeRoleWithWebIdentity). The token goes to the security token
 * service alone, and in the body, for addresses are logged.
 * @throws Failure, TransientFault
 */
export async function webIdentityKey(
  identity: WebIdentity,
  { http, policy }: WebIdentityTools,
  signal: AbortSignal
): Promise<AccessKey> {
  const { endpoint = `https://sts.${identity.region}.amazonaws.com`, role, session } = identity;
  const url = checkedAddress(endpoint, policy, 'user');
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: session,
    WebIdentityToken: await readToken(identity.tokenFile)
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'diffusion-dock' };
  const body = { kind: 'bytes', bytes: Buffer.from(form.toString()) } as const;
  const answer = await http.send('POST', url, headers, signal, { admission: 'user', body }).catch((error: unknown) => {
    throw networkFault(error, url, { client: http, signal });
  });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of readable(answer, url, { client: http, signal })) {
    length += chunk.length;
    if (length > LONGEST_ANSWER) throw refused(url, 'sent an answer that is too long');
    chunks.push(Buffer.from(chunk));
  }
  const document = parseXml(Buffer.concat(chunks).toString('utf8'));
  const found = childOf(childOf(document, 'AssumeRoleWithWebIdentityResult'), 'Credentials');
  const [id, secret] = [textOf(found, 'AccessKeyId'), textOf(found, 'SecretAccessKey')];
  if (answer.status !== 200 || !id || !secret)
    throw noRole(url, answer.status, textOf(childOf(document, 'Error'), 'Code'));
  const endsAt = Date.parse(textOf(found, 'Expiration') ?? '');
  return {
    id,
    secret,
    sessionToken: textOf(found, 'SessionToken'),
    endsAtUnixMs: Number.isFinite(endsAt) ? endsAt : undefined
  };
}

async function readToken(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw fileFailure(error, 'The file that AWS_WEB_IDENTITY_TOKEN_FILE names cannot be read.', path);
  }
}

function noRole({ host }: URL, status: number, code: string | undefined): Failure {
  const said = code !== undefined && /^[A-Za-z.]{1,64}$/.test(code) ? `${code}, status ${status}` : `status ${status}`;
  return new Failure('http-status', `${host} gives no key for the role in AWS_ROLE_ARN (${said}).`, {
    subject: host,
    nextStep: 'Check the role, and that the token in AWS_WEB_IDENTITY_TOKEN_FILE is for it and has not expired.',
    status
  });
}

import { Failure } from '../../../shared/failure';
import { refused } from '../../pull/http/http-faults';
import { labelOf } from './bucket';
import { versionIn } from './etag';
import type { S3Client } from './s3-client';
import { sha256Of } from './signing';

/** How a store wants to be told of a version in If-Match. S3 takes both; Ceph up to Quincy only the bare one. */
type TagForm = (version: string) => string;

const quoted: TagForm = (version) => `"${version}"`;

const bare: TagForm = (version) => version;

/** A version that nothing has. */
const WRONG_VERSION = '00000000000000000000000000000000';

/** Puts small contents on the condition that nobody did so meanwhile. */
export class ConditionalPuts {
  private form: Promise<TagForm> | undefined;

  /** @param probeKey makes the key of an object that nothing else uses, within the bucket */
  constructor(
    private readonly client: S3Client,
    private readonly probeKey: () => string
  ) {}

  /**
   * @param previous the version that has to be there, or null for nothing
   * @returns the new version, or undefined when something else is there
   * @throws Failure('store-unfit') when the store takes conditions but does not keep them
   */
  async put(key: string, bytes: Uint8Array, previous: string | null, signal: AbortSignal): Promise<string | undefined> {
    const form = await this.checkedForm(signal);
    const condition = previous === null ? NOTHING_THERE : { 'if-match': form(previous) };
    return putOn(this.client, { key, bytes, condition, signal });
  }

  /** Each store is asked once; what could not be asked is asked again. */
  private checkedForm(signal: AbortSignal): Promise<TagForm> {
    this.form ??= probe(this.client, this.probeKey(), signal).catch((error: unknown) => {
      this.form = undefined;
      throw error;
    });
    return this.form;
  }
}

const NOTHING_THERE = { 'if-none-match': '*' };

interface ConditionalPut {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly condition: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

async function putOn(client: S3Client, put: ConditionalPut): Promise<string | undefined> {
  const { key, bytes, condition, signal } = put;
  let attempts = 0;
  const answer = await client.retrying(signal, async () => {
    attempts += 1;
    const headers = { ...condition, 'content-type': 'application/json' };
    const body = { kind: 'bytes', bytes } as const;
    // Without the object that it is to match, S3 answers that there is none.
    const expected = [404, 412];
    const asked = await client.askText(
      { method: 'PUT', key, headers, body, payload: sha256Of(bytes), signal, expected },
      4096
    );
    return asked.answer;
  });
  if (answer.status < 300) return versionIn(answer) ?? unversioned(client, key);
  // The answer that was lost may have been that ours is there.
  return attempts > 1 ? ownVersion(client, put) : undefined;
}

/** The version of what is there if it is what was put. */
async function ownVersion(client: S3Client, { key, bytes, signal }: ConditionalPut): Promise<string | undefined> {
  const request = { method: 'GET', key, signal, expected: [404] } as const;
  return client.retrying(signal, async () => {
    const answer = await client.ask(request);
    if (answer.status >= 300) return undefined;
    const found = await client.bytesOf(answer, request, bytes.length).catch(longer);
    return found?.equals(bytes) ? versionIn(answer) : undefined;
  });
}

/** What is longer is something else. */
function longer(error: unknown): undefined {
  if (!(error instanceof Failure) || error.code !== 'bad-response') throw error;
}

/** Finds out by a document of its own whether conditions are kept, and in which form. @throws Failure('store-unfit') */
async function probe(client: S3Client, key: string, signal: AbortSignal): Promise<TagForm> {
  const put = (text: string, condition: Readonly<Record<string, string>>): Promise<string | undefined> =>
    putOn(client, { key, bytes: Buffer.from(text), condition, signal });
  try {
    const first = await put('1', NOTHING_THERE);
    if (first === undefined) throw refused(client.addressOf(key), 'says that a new object is there already');
    if ((await put('2', NOTHING_THERE)) !== undefined) throw unfit(client, 'replaces objects that must not be there');
    for (const form of [quoted, bare]) {
      if ((await put('3', { 'if-match': form(WRONG_VERSION) })) !== undefined) {
        throw unfit(client, 'replaces objects that are not the expected ones');
      }
      if ((await put('4', { 'if-match': form(first) })) !== undefined) return form;
    }
    throw unfit(client, 'does not replace the object that is expected');
  } finally {
    await client
      .retrying(signal, () => client.ask({ method: 'DELETE', key, signal, expected: [404] }))
      .then(
        (answer) => answer.discard(),
        () => client.log.warn('an object of a probe may stay in the store', { store: labelOf(client.bucket, key) })
      );
  }
}

function unfit(client: S3Client, what: string): Failure {
  const label = labelOf(client.bucket, '');
  return new Failure('store-unfit', `The store ${label} ${what}: several who publish could overwrite each other.`, {
    subject: label,
    nextStep: 'Publish to a store that keeps If-Match and If-None-Match, such as S3, R2 or a current Ceph or MinIO.'
  });
}

function unversioned(client: S3Client, key: string): never {
  throw refused(client.addressOf(key), 'stored an object without telling its ETag');
}

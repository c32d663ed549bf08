import { createHash } from 'node:crypto';
import { cancelled } from '../../../shared/failure';
import { refused } from '../../pull/http/http-faults';
import type { ObjectFacts } from '../object-store';
import { labelOf } from './bucket';
import { versionIn, versionOfTag } from './etag';
import type { S3Client } from './s3-client';
import { errorIn, explained } from './s3-faults';
import { sha256Of } from './signing';
import { LONG_WORK_MS, type Part } from './tuning';
import { escapeXml, parseXml, textOf } from './xml';

/** The longest answers that tell of an upload, in bytes. */
const LONGEST_ANSWER = 64 * 1024;

/** How long the end of an upload that failed may take, in ms; whoever cancelled waits for it. */
const ABORT_MS = 20_000;

/** Sends or copies one part. @returns its ETag */
export type SendPart = (part: Part, uploadId: string, signal: AbortSignal) => Promise<string>;

export interface MultipartUpload {
  /** Within the bucket. */
  readonly key: string;
  readonly parts: readonly Part[];
  /** How many parts are on their way at once. */
  readonly lanes: number;
  readonly sendPart: SendPart;
  /** Waited for before the parts become an object; throws when they must not. */
  readonly beforeJoining: (signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Makes an object of parts. Each is tried again by itself. Whatever goes wrong, no unfinished upload stays, unless the
 * process dies or the store cannot be reached any more.
 * @throws Failure
 */
export async function uploadInParts(client: S3Client, upload: MultipartUpload): Promise<ObjectFacts> {
  const { key, parts, signal } = upload;
  const uploadId = await client.retrying(signal, () => begin(client, key, signal));
  try {
    const tags = await sendAll(client, upload, uploadId);
    const version = await join(client, { key, uploadId, tags, signal });
    return { bytes: parts.at(-1)?.end ?? 0, version };
  } catch (error) {
    await abortUpload(client, key, uploadId).catch(() => {
      client.log.warn('an unfinished upload may stay in the store', { store: labelOf(client.bucket, key) });
    });
    throw error;
  }
}

/** Ends an unfinished upload; nothing when there is none. @throws Failure */
export async function abortUpload(client: S3Client, key: string, uploadId: string): Promise<void> {
  // Whoever cancelled the upload does not cancel this.
  const signal = AbortSignal.timeout(ABORT_MS);
  const query = { uploadId };
  await client.retrying(signal, async () => {
    const answer = await client.ask({ method: 'DELETE', key, query, signal, expected: [404] });
    answer.discard();
  });
}

async function begin(client: S3Client, key: string, signal: AbortSignal): Promise<string> {
  const headers = { 'content-type': 'application/octet-stream' };
  const { text } = await client.askText(
    { method: 'POST', key, query: { uploads: '' }, headers, signal },
    LONGEST_ANSWER
  );
  const uploadId = textOf(parseXml(text), 'UploadId');
  if (uploadId === undefined || uploadId === '')
    throw refused(client.addressOf(key), 'began an upload without saying which');
  return uploadId;
}

/** @returns the ETags of all parts, in order. When it fails, nothing is on its way any more. */
async function sendAll(client: S3Client, upload: MultipartUpload, uploadId: string): Promise<readonly string[]> {
  const { parts, lanes, sendPart, beforeJoining } = upload;
  const failing = new AbortController();
  const signal = AbortSignal.any([upload.signal, failing.signal]);
  const tags: string[] = [];
  const waiting = parts.values();
  const lane = async (): Promise<void> => {
    for (const part of waiting) {
      if (signal.aborted) throw cancelled('The upload');
      tags[part.number - 1] = await client.retrying(signal, () => sendPart(part, uploadId, signal));
    }
  };
  const work = [...Array.from({ length: Math.min(lanes, parts.length) }, lane), beforeJoining(signal)];
  let first: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => {
    first ??= { error };
    failing.abort();
  };
  await Promise.all(work.map((each) => each.catch(fail)));
  if (first) throw first.error;
  return tags;
}

interface Joining {
  readonly key: string;
  readonly uploadId: string;
  readonly tags: readonly string[];
  readonly signal: AbortSignal;
}

/** @returns the version of the object */
async function join(client: S3Client, joining: Joining): Promise<string> {
  const { signal } = joining;
  try {
    const told = await client.retrying(signal, () => complete(client, joining));
    // Ceph up to Pacific joins the parts without telling what came of them.
    if (told !== '') return told;
  } catch (error) {
    // An answer that was lost may have been that all is well, and whoever asks again then hears of no upload.
    const current = signal.aborted ? undefined : await currentVersion(client, joining);
    if (current !== undefined && current === expectedVersion(joining.tags)) return current;
    throw error;
  }
  const current = await currentVersion(client, joining);
  if (current === undefined) throw refused(client.addressOf(joining.key), 'does not tell the ETag of an object');
  return current;
}

/** @returns the version as the store tells it, or nothing */
async function complete(client: S3Client, { key, uploadId, tags, signal }: Joining): Promise<string> {
  const list = tags.map(
    (tag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escapeXml(tag)}</ETag></Part>`
  );
  const bytes = Buffer.from(`<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`);
  const { text, answer } = await client.askText(
    {
      method: 'POST',
      key,
      query: { uploadId },
      headers: { 'content-type': 'application/xml' },
      body: { kind: 'bytes', bytes },
      payload: sha256Of(bytes),
      signal,
      answerMs: LONG_WORK_MS
    },
    LONGEST_ANSWER
  );
  // The status comes before the work is done.
  const document = parseXml(text);
  const code = errorIn(document);
  if (code !== undefined) throw explained({ status: answer.status, code, region: undefined }, client.contextOf(key));
  if (document === undefined)
    throw refused(client.addressOf(key), 'joined the parts with an answer that makes no sense');
  return versionOfTag(textOf(document, 'ETag') ?? '');
}

/** What S3 makes of the versions of parts; undefined where those are no digests. */
function expectedVersion(tags: readonly string[]): string | undefined {
  const digests = tags.map(versionOfTag);
  if (!digests.every((digest) => /^[0-9a-f]{32}$/.test(digest))) return undefined;
  return `${createHash('md5')
    .update(Buffer.from(digests.join(''), 'hex'))
    .digest('hex')}-${tags.length}`;
}

async function currentVersion(client: S3Client, { key, signal }: Joining): Promise<string | undefined> {
  const answer = await client.retrying(signal, () => client.ask({ method: 'HEAD', key, signal, expected: [404] }));
  answer.discard();
  return answer.status === 404 ? undefined : versionIn(answer);
}

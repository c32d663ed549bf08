import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Failure } from '../../../shared/failure';
import type { Hasher } from '../../platform/hasher';
import type { PartHasher } from '../../platform/part-hasher';
import { fileFailure } from '../../platform/system-error';
import { refused } from '../../pull/http/http-faults';
import type { RequestBody } from '../../pull/network/request-body';
import { fileDiffers } from '../object-failures';
import type { ObjectContent, ObjectFacts, PutOptions } from '../object-store';
import { versionIn } from './etag';
import { uploadInParts } from './multipart-upload';
import type { S3Client } from './s3-client';
import { sha256Of } from './signing';
import { type Part, partsOf, type S3Tuning } from './tuning';

/** What puts an object. */
export interface PutTools {
  readonly client: S3Client;
  readonly hasher: Hasher;
  readonly parts: PartHasher;
  readonly tuning: S3Tuning;
}

type FileContent = ObjectContent & { readonly kind: 'file' };

/**
 * Puts an object: a small one with one request, a large file in parts, several at once. Every request is signed with
 * the digest of what it sends, so that the store refuses what was damaged on the way.
 * @param key within the bucket
 * @throws Failure, 'digest-mismatch' for a file that is not what it is said to be
 */
export async function putObject(
  tools: PutTools,
  key: string,
  content: ObjectContent,
  options: PutOptions
): Promise<ObjectFacts> {
  if (content.kind === 'bytes') {
    const { bytes } = content;
    return putWhole(tools.client, key, { body: { kind: 'bytes', bytes }, payload: sha256Of(bytes) }, options);
  }
  const before = await checkedFile(content);
  try {
    if (content.bytes > tools.tuning.wholeBytes) return await putInParts(tools, key, content, options);
    const { path, bytes: end, digest } = content;
    const body: RequestBody = { kind: 'file', path, start: 0, end };
    return await putWhole(tools.client, key, { body, payload: digest }, options);
  } catch (error) {
    if (options.signal.aborted) throw error;
    // The store can only say that something else arrived.
    if (isChanged(before, await checkedFile(content))) throw fileDiffers(content.path);
    if (error instanceof Failure && error.status === 400) await proveFile(tools.hasher, content, options.signal);
    throw error;
  }
}

interface WholeContent {
  readonly body: RequestBody;
  /** SHA-256 of the body in hexadecimal digits. */
  readonly payload: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request. @throws Failure */
async function putWhole(
  client: S3Client,
  key: string,
  { body, payload }: WholeContent,
  { signal, onBytes }: PutOptions
): Promise<ObjectFacts> {
  const headers = { 'content-type': 'application/octet-stream' };
  const bytes = body.kind === 'bytes' ? body.bytes.length : body.end;
  const version = await client.retrying(signal, async () => {
    const answer = await client.ask({
      method: 'PUT',
      key,
      headers,
      body,
      payload,
      signal,
      ...(onBytes && { onSent: onBytes })
    });
    answer.discard();
    return versionIn(answer);
  });
  if (version === undefined) throw refused(client.addressOf(key), 'stored an object without telling its ETag');
  return { bytes, version };
}

async function putInParts(
  { client, hasher, parts, tuning }: PutTools,
  key: string,
  content: FileContent,
  { signal, onBytes }: PutOptions
): Promise<ObjectFacts> {
  const { path, bytes } = content;
  const progress = new PartProgress(onBytes);
  const sendPart = async (part: Part, uploadId: string, partSignal: AbortSignal): Promise<string> => {
    const [payload] = await parts.hashParts(path, [part], { signal: partSignal });
    if (payload === undefined || payload === null) throw fileDiffers(path);
    const answer = await client.ask({
      method: 'PUT',
      key,
      query: { partNumber: `${part.number}`, uploadId },
      body: { kind: 'file', path, start: part.start, end: part.end },
      payload,
      signal: partSignal,
      onSent: (sent) => progress.note(part.number, sent)
    });
    answer.discard();
    const tag = answer.header('etag');
    if (tag === undefined) throw refused(client.addressOf(key), 'stored a part without telling its ETag');
    return tag;
  };
  return uploadInParts(client, {
    key,
    parts: partsOf(bytes, tuning.partBytes),
    lanes: tuning.lanes,
    sendPart,
    beforeJoining: (hashSignal) => proveFile(hasher, content, hashSignal),
    signal
  });
}

/** Adds up what was sent of several parts. */
class PartProgress {
  private readonly sent = new Map<number, number>();
  private total = 0;

  constructor(private readonly onBytes: PutOptions['onBytes']) {}

  /** @param bytes of this part so far; fewer than before when it is sent again */
  note(part: number, bytes: number): void {
    this.total += bytes - (this.sent.get(part) ?? 0);
    this.sent.set(part, bytes);
    this.onBytes?.(this.total);
  }
}

/** Reads the whole file. @throws Failure when it is another one than was said */
async function proveFile(hasher: Hasher, { path, bytes, digest }: FileContent, signal: AbortSignal): Promise<void> {
  const found = await hasher.hash(path, { signal });
  if (found.digest !== digest || found.bytes !== bytes) throw fileDiffers(path);
}

/** @throws Failure when the file cannot be had or has another size */
async function checkedFile({ path, bytes }: FileContent): Promise<BigIntStats> {
  const found = await stat(path, { bigint: true }).catch((error: unknown) => {
    throw fileFailure(error, 'The file cannot be read.', path);
  });
  if (!found.isFile() || Number(found.size) !== bytes) throw fileDiffers(path);
  return found;
}

function isChanged(before: BigIntStats, after: BigIntStats): boolean {
  return before.ino !== after.ino || before.mtimeNs !== after.mtimeNs || before.ctimeNs !== after.ctimeNs;
}

import { refused } from '../../pull/http/http-faults';
import { sizeOf } from '../../pull/http/http-opening';
import { encodedKey } from './bucket';
import { versionIn, versionOfTag } from './etag';
import { uploadInParts } from './multipart-upload';
import type { S3Client, S3Request } from './s3-client';
import { errorIn, explained } from './s3-faults';
import { LONG_WORK_MS, partsOf, type S3Tuning } from './tuning';
import { parseXml, textOf } from './xml';

/** The longest answer to a copy, in bytes. */
const LONGEST_ANSWER = 64 * 1024;

/**
 * Copies inside the bucket; what is too large for one request in parts.
 * @returns false when the source is not there
 * @throws Failure
 */
export async function copyObject(
  client: S3Client,
  { from, to, tuning }: { readonly from: string; readonly to: string; readonly tuning: S3Tuning },
  signal: AbortSignal
): Promise<boolean> {
  const found = await client.retrying(signal, () => client.ask({ method: 'HEAD', key: from, signal, expected: [404] }));
  found.discard();
  const version = versionIn(found);
  if (found.status === 404) return false;
  if (version === undefined) throw refused(client.addressOf(from), 'told no ETag of an object');
  // S3 takes no copy onto itself.
  if (from === to) return true;
  const bytes = sizeOf(found.header('content-length'));
  const headers = {
    'x-amz-copy-source': `/${client.bucket.name}/${encodedKey(from)}`,
    'x-amz-copy-source-if-match': `"${version}"`
  };
  // The store itself refuses what is too large for that.
  if (bytes === null || bytes <= tuning.copyBytes) {
    const copied = { method: 'PUT', key: to, headers, signal } as const;
    return (await client.retrying(signal, () => copyTag(client, copied))) !== undefined;
  }
  await uploadInParts(client, {
    key: to,
    parts: partsOf(bytes, tuning.copyPartBytes),
    lanes: tuning.lanes,
    sendPart: async (part, uploadId, partSignal) => {
      const range = { 'x-amz-copy-source-range': `bytes=${part.start}-${part.end - 1}` };
      const query = { partNumber: `${part.number}`, uploadId };
      const request = { method: 'PUT', key: to, query, headers: { ...headers, ...range }, signal: partSignal } as const;
      const tag = await copyTag(client, request);
      if (tag === undefined) throw refused(client.addressOf(from), 'no longer has the object that was being copied');
      return tag;
    },
    beforeJoining: async () => undefined,
    signal
  });
  return true;
}

/** @returns the ETag of what was copied, or undefined when the source is gone */
async function copyTag(client: S3Client, request: S3Request): Promise<string | undefined> {
  const { answer, text } = await client.askText(
    { ...request, expected: [404, 412], answerMs: LONG_WORK_MS },
    LONGEST_ANSWER
  );
  if (answer.status >= 300) return undefined;
  const document = parseXml(text);
  const code = errorIn(document);
  // The status of success comes before the work is done.
  if (code !== undefined) {
    throw explained({ status: answer.status, code, region: undefined }, client.contextOf(request.key));
  }
  const tag = textOf(document, 'ETag');
  if (tag === undefined) throw refused(client.addressOf(request.key), 'copied without saying what became of it');
  return versionOfTag(tag);
}

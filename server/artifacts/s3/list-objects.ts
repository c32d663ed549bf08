import { refused } from '../../pull/http/http-faults';
import type { S3Client } from './s3-client';
import { childOf, parseXml, textOf, type XmlElement } from './xml';

/** A page of at most 1,000 entries with keys of at most 1,024 bytes, each of which may be written as three, in bytes. */
const LONGEST_PAGE = 8 * 1024 * 1024;

/** An object as a bucket lists it. */
export interface BucketEntry {
  /** Within the bucket. */
  readonly key: string;
  readonly bytes: number;
  readonly changedAtUnixMs: number;
}

/** An upload that was begun and neither joined nor ended. */
export interface UnfinishedUpload {
  /** Within the bucket. */
  readonly key: string;
  readonly uploadId: string;
  readonly begunAtUnixMs: number;
}

/** All objects whose keys begin with a text, a page at a time. @throws Failure */
export async function* listObjects(client: S3Client, prefix: string, signal: AbortSignal): AsyncGenerator<BucketEntry> {
  const query = { 'list-type': '2', prefix, 'encoding-type': 'url' };
  for (let token: string | undefined = ''; token !== undefined; ) {
    const page = await listedPage(client, { ...query, ...(token !== '' && { 'continuation-token': token }) }, signal);
    for (const entry of page.children.filter(({ name }) => name === 'Contents')) {
      const bytes = Number(textOf(entry, 'Size'));
      yield { key: keyOf(entry), bytes, changedAtUnixMs: Date.parse(textOf(entry, 'LastModified') ?? '') };
    }
    token = isTruncated(page) ? textOf(page, 'NextContinuationToken') : undefined;
  }
}

/** All unfinished uploads of keys that begin with a text. @throws Failure */
export async function* listUploads(
  client: S3Client,
  prefix: string,
  signal: AbortSignal
): AsyncGenerator<UnfinishedUpload> {
  const query = { uploads: '', prefix, 'encoding-type': 'url' };
  for (let marker: Readonly<Record<string, string>> | undefined = {}; marker; ) {
    const page = await listedPage(client, { ...query, ...marker }, signal);
    for (const entry of page.children.filter(({ name }) => name === 'Upload')) {
      const uploadId = textOf(entry, 'UploadId') ?? '';
      yield { key: keyOf(entry), uploadId, begunAtUnixMs: Date.parse(textOf(entry, 'Initiated') ?? '') };
    }
    const [key, id] = [textOf(page, 'NextKeyMarker'), textOf(page, 'NextUploadIdMarker')];
    marker = isTruncated(page) && key && id ? { 'key-marker': decodeKey(key), 'upload-id-marker': id } : undefined;
  }
}

async function listedPage(
  client: S3Client,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal
): Promise<XmlElement> {
  const request = { method: 'GET', key: null, query, signal } as const;
  const { text } = await client.retrying(signal, () => client.askText(request, LONGEST_PAGE));
  const page = parseXml(text);
  if (page && childOf(page, 'IsTruncated')) return page;
  throw refused(client.addressOf(null), 'sent a listing that makes no sense');
}

function isTruncated(page: XmlElement): boolean {
  return textOf(page, 'IsTruncated') === 'true';
}

function keyOf(entry: XmlElement): string {
  return decodeKey(childOf(entry, 'Key')?.text ?? '');
}

/** As S3 encodes keys in listings: a space may be a plus. */
function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

import type { Hasher } from '../../platform/hasher';
import type { PartHasher } from '../../platform/part-hasher';
import { nonce } from '../../platform/process-identity';
import { refused } from '../../pull/http/http-faults';
import { sizeOf } from '../../pull/http/http-opening';
import type { Source } from '../../pull/source';
import { objectMissing, objectTooLarge } from '../object-failures';
import type {
  ListedObject,
  ObjectContent,
  ObjectFacts,
  ObjectStore,
  PutOptions,
  ReadContent,
  ReadOptions
} from '../object-store';
import { parseStoreKey, type StoreKey } from '../store-key';
import { labelOf } from './bucket';
import { ConditionalPuts } from './conditional-puts';
import { copyObject } from './copy-object';
import { versionIn } from './etag';
import { listObjects, listUploads } from './list-objects';
import { abortUpload } from './multipart-upload';
import { type PutTools, putObject } from './put-object';
import { S3Client, type S3ClientOptions } from './s3-client';
import { s3Source } from './s3-source';
import { S3_TUNING, type S3Tuning } from './tuning';

export interface S3StoreOptions extends S3ClientOptions {
  /** What all keys begin with, with `/` between its segments and at neither end; empty for the whole bucket. */
  readonly prefix: string;
  readonly hasher: Hasher;
  readonly parts: PartHasher;
  readonly tuning?: S3Tuning;
}

/** A team store in a bucket of S3 or of anything that speaks its language. */
export class S3Store implements ObjectStore {
  readonly label: string;
  private readonly client: S3Client;
  private readonly tools: PutTools;
  private readonly documents: ConditionalPuts;

  constructor(private readonly options: S3StoreOptions) {
    const { bucket, prefix, hasher, parts, tuning = S3_TUNING } = options;
    this.label = labelOf(bucket, prefix);
    this.client = new S3Client(options);
    this.tools = { client: this.client, hasher, parts, tuning };
    this.documents = new ConditionalPuts(this.client, () => this.full(`_dock/_probe-${nonce()}`));
  }

  put(key: StoreKey, content: ObjectContent, options: PutOptions): Promise<ObjectFacts> {
    return putObject(this.tools, this.full(key), content, options);
  }

  async head(key: StoreKey, signal: AbortSignal): Promise<ObjectFacts | undefined> {
    const { client } = this;
    const request = { method: 'HEAD', key: this.full(key), signal, expected: [404] } as const;
    const answer = await client.retrying(signal, () => client.ask(request));
    answer.discard();
    if (answer.status === 404) return undefined;
    const [bytes, version] = [sizeOf(answer.header('content-length')), versionIn(answer)];
    if (bytes !== null && version !== undefined) return { bytes, version };
    throw refused(client.addressOf(request.key), 'does not tell size and ETag of an object');
  }

  async read(key: StoreKey, { signal, limit }: ReadOptions): Promise<ReadContent | undefined> {
    const { client } = this;
    const request = { method: 'GET', key: this.full(key), signal, expected: [404] } as const;
    return client.retrying(signal, async () => {
      const answer = await client.ask(request);
      if (answer.status === 404) return undefined;
      if ((sizeOf(answer.header('content-length')) ?? 0) > limit) {
        answer.discard();
        throw objectTooLarge(this.label, key, limit);
      }
      const bytes = await client.bytesOf(answer, request, limit);
      const version = versionIn(answer);
      if (version === undefined) throw refused(client.addressOf(request.key), 'does not tell the ETag of an object');
      return { bytes, version };
    });
  }

  source(key: StoreKey, facts?: ObjectFacts): Source {
    return s3Source({
      client: this.client,
      http: this.options.http,
      key: this.full(key),
      label: `${this.label}/${key}`,
      version: facts?.version,
      missing: () => objectMissing(this.label, key)
    });
  }

  copy(from: StoreKey, to: StoreKey, signal: AbortSignal): Promise<boolean> {
    const { client, tuning } = this.tools;
    return copyObject(client, { from: this.full(from), to: this.full(to), tuning }, signal);
  }

  async delete(key: StoreKey, signal: AbortSignal): Promise<void> {
    const { client } = this;
    const request = { method: 'DELETE', key: this.full(key), signal, expected: [404] } as const;
    const answer = await client.retrying(signal, () => client.ask(request));
    answer.discard();
  }

  async *list(below: StoreKey | null, signal: AbortSignal): AsyncGenerator<ListedObject> {
    for await (const { key, ...facts } of listObjects(this.client, this.folder(below), signal)) {
      const own = this.own(key);
      if (own !== undefined) yield { key: own, ...facts };
    }
  }

  readDocument(key: StoreKey, options: ReadOptions): Promise<ReadContent | undefined> {
    return this.read(key, options);
  }

  swapDocument(
    key: StoreKey,
    bytes: Uint8Array,
    previous: string | null,
    signal: AbortSignal
  ): Promise<string | undefined> {
    return this.documents.put(this.full(key), bytes, previous, signal);
  }

  deleteDocument(key: StoreKey, signal: AbortSignal): Promise<void> {
    return this.delete(key, signal);
  }

  async endUploads(begunBeforeUnixMs: number, signal: AbortSignal): Promise<number> {
    let ended = 0;
    for await (const { key, uploadId, begunAtUnixMs } of listUploads(this.client, this.folder(null), signal)) {
      if (this.own(key) === undefined || !(begunAtUnixMs < begunBeforeUnixMs)) continue;
      await abortUpload(this.client, key, uploadId);
      ended += 1;
    }
    return ended;
  }

  /** A key within the bucket. */
  private full(key: string): string {
    const { prefix } = this.options;
    return prefix === '' ? key : `${prefix}/${key}`;
  }

  /** What the keys below one begin with, or all of the store's. */
  private folder(below: StoreKey | null): string {
    const full = this.full(below ?? '');
    return full === '' || full.endsWith('/') ? full : `${full}/`;
  }

  /** Undefined for what is none of ours: not every server minds the prefix that it is asked for. */
  private own(key: string): StoreKey | undefined {
    const folder = this.folder(null);
    return key.startsWith(folder) ? parseStoreKey(key.slice(folder.length)) : undefined;
  }
}

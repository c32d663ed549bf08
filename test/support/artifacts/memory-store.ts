import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileDiffers, objectMissing, objectTooLarge } from '../../../server/artifacts/object-failures';
import type {
  ListedObject,
  ObjectContent,
  ObjectFacts,
  ObjectStore,
  PutOptions,
  ReadContent,
  ReadOptions
} from '../../../server/artifacts/object-store';
import type { StoreKey } from '../../../server/artifacts/store-key';
import { fileFailure } from '../../../server/platform/system-error';
import { ContentChanged, type Opening, type OpenRequest, type Source } from '../../../server/pull/source';
import { cancelled, Failure } from '../../../shared/failure';

interface Stored {
  readonly bytes: Buffer;
  readonly version: string;
  readonly changedAtUnixMs: number;
}

/** One chunk of a body. */
const CHUNK_BYTES = 64 * 1024;

/** A store that is gone with the test. Contents live in the map that it is given, so that it can be opened again. */
export class MemoryStore implements ObjectStore {
  readonly label = 'memory';

  constructor(private readonly contents = new Map<StoreKey, Stored>()) {}

  async put(key: StoreKey, content: ObjectContent, { signal, onBytes }: PutOptions): Promise<ObjectFacts> {
    const bytes = content.kind === 'bytes' ? Buffer.from(content.bytes) : await readWhole(content.path);
    if (content.kind === 'file') {
      const digest = createHash('sha256').update(bytes).digest('hex');
      if (bytes.length !== content.bytes || digest !== content.digest) throw fileDiffers(content.path);
    }
    onBytes?.(bytes.length);
    requireNotCancelled(signal);
    return this.keep(key, bytes);
  }

  async head(key: StoreKey, signal: AbortSignal): Promise<ObjectFacts | undefined> {
    requireNotCancelled(signal);
    const stored = this.contents.get(key);
    return stored && { bytes: stored.bytes.length, version: stored.version };
  }

  async read(key: StoreKey, { signal, limit }: ReadOptions): Promise<ReadContent | undefined> {
    requireNotCancelled(signal);
    const stored = this.contents.get(key);
    if (stored === undefined) return undefined;
    if (stored.bytes.length > limit) throw objectTooLarge(this.label, key, limit);
    return { bytes: Buffer.from(stored.bytes), version: stored.version };
  }

  source(key: StoreKey, facts?: ObjectFacts): Source {
    const current = (): Stored => {
      const stored = this.contents.get(key);
      if (stored === undefined) throw objectMissing(this.label, key);
      if (facts !== undefined && facts.version !== stored.version) throw changed(key);
      return stored;
    };
    return {
      label: `${this.label}/${key}`,
      identity: `${this.label}/${key}`,
      isLocal: true,
      open: async (request) => openStored(key, current(), request),
      probe: async () => ({ bytes: current().bytes.length, isExact: true, digest: null })
    };
  }

  async copy(from: StoreKey, to: StoreKey, signal: AbortSignal): Promise<boolean> {
    requireNotCancelled(signal);
    const stored = this.contents.get(from);
    if (stored) this.keep(to, stored.bytes);
    return stored !== undefined;
  }

  async delete(key: StoreKey, signal: AbortSignal): Promise<void> {
    requireNotCancelled(signal);
    this.contents.delete(key);
  }

  async *list(below: StoreKey | null, signal: AbortSignal): AsyncIterable<ListedObject> {
    for (const [key, { bytes, changedAtUnixMs }] of this.contents) {
      requireNotCancelled(signal);
      if (below === null || key.startsWith(`${below}/`)) yield { key, bytes: bytes.length, changedAtUnixMs };
    }
  }

  readDocument(key: StoreKey, options: ReadOptions): Promise<ReadContent | undefined> {
    return this.read(key, options);
  }

  async swapDocument(
    key: StoreKey,
    bytes: Uint8Array,
    previous: string | null,
    signal: AbortSignal
  ): Promise<string | undefined> {
    requireNotCancelled(signal);
    const current = this.contents.get(key)?.version ?? null;
    return current === previous ? this.keep(key, Buffer.from(bytes)).version : undefined;
  }

  deleteDocument(key: StoreKey, signal: AbortSignal): Promise<void> {
    return this.delete(key, signal);
  }

  /** As for S3, the version is a digest of the content. */
  private keep(key: StoreKey, bytes: Buffer): ObjectFacts {
    const version = createHash('md5').update(bytes).digest('hex');
    this.contents.set(key, { bytes, version, changedAtUnixMs: Date.now() });
    return { bytes: bytes.length, version };
  }
}

async function readWhole(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw fileFailure(error, 'The file cannot be read.', path);
  }
}

function openStored(key: StoreKey, stored: Stored, { start, end, validator, signal }: OpenRequest): Opening {
  const { bytes, version } = stored;
  if ((validator !== null && validator !== version) || start > bytes.length) throw changed(key);
  async function* body(): AsyncIterable<Uint8Array> {
    for (let at = start; at < (end ?? bytes.length); at += CHUNK_BYTES) {
      requireNotCancelled(signal);
      yield bytes.subarray(at, Math.min(at + CHUNK_BYTES, end ?? bytes.length));
    }
  }
  return { start, total: bytes.length, servesRanges: true, validator: version, endsByClosing: false, body: body() };
}

function requireNotCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled('The work in the store');
}

function changed(key: StoreKey): ContentChanged {
  return new ContentChanged(new Failure('bad-response', 'The object was replaced meanwhile.', { subject: key }));
}

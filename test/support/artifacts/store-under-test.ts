import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ObjectContent, ObjectFacts, ObjectStore } from '../../../server/artifacts/object-store';
import { type StoreKey, storeKey } from '../../../server/artifacts/store-key';
import type { OpenRequest, Source } from '../../../server/pull/source';
import { parseDigest } from '../../../shared/digest';
import { sampleBytes } from '../sample-bytes';
import { temporaryFolder } from '../temporary-folder';

/** A kind of store, fresh for each test. */
export interface StoreUnderTest {
  /** Opens the store; the second time it is the same one, as another process sees it. */
  open(): ObjectStore;
  /** What is left of work that did not end well: names of half objects, open uploads. */
  readonly leftovers?: () => Promise<readonly string[]>;
}

/** One that nobody aborts. */
export const signal: AbortSignal = new AbortController().signal;

/** The most that tests read of a small content, in bytes. */
export const LIMIT = 1024 * 1024;

export const CONTENT = sampleBytes(300_000);
export const OTHER = sampleBytes(300_000, 2);

/** More than fits into the buffers on any way. */
export const LONG = sampleBytes(24_000_000, 3);

/** An object, and a document beside it. */
export const KEY = storeKey('tiny', 'attempt-1', 'weights.gguf');
export const DOCUMENT = storeKey('tiny', { reserved: '_current.json' });

/** Names that systems and protocols treat in ways of their own; each has to be an object of its own. */
export const ODD_NAMES = [
  'Weights.gguf',
  'weights.gguf',
  'WEIGHTS.GGUF',
  'weights gguf',
  'weights+gguf',
  'weights%20gguf',
  'weights%2520gguf',
  'weights/gguf',
  'weights\\gguf',
  'weights?versions',
  'weights#gguf',
  'weights&gguf=1',
  'weights;gguf',
  'weights:gguf',
  'weights~gguf',
  'weights@',
  '"weights"',
  "weights'gguf",
  'weights*',
  '_weights',
  '.weights',
  '..weights',
  'weights.',
  'weights ',
  ' weights',
  'CON',
  'aux.gguf',
  'Gewichte-grün-é',
  'Gewichte-grün-e\u0301',
  '重み.safetensors',
  '🏮.png',
  'line\nbreak',
  'n\u0000ul',
  'x'.repeat(300),
  `${'x'.repeat(299)}y`,
  '重'.repeat(80)
];

export function putBytes(store: ObjectStore, key: StoreKey, bytes: Uint8Array): Promise<ObjectFacts> {
  return store.put(key, { kind: 'bytes', bytes }, { signal });
}

export function swapText(
  store: ObjectStore,
  text: string,
  previous: string | null,
  key = DOCUMENT
): Promise<string | undefined> {
  return store.swapDocument(key, Buffer.from(text), previous, signal);
}

export async function textOf(store: ObjectStore, key: StoreKey): Promise<string | undefined> {
  return asText(await store.read(key, { signal, limit: LIMIT }));
}

/** Writes the document anew, whatever it says now. */
export async function swapNext(store: ObjectStore, text: string): Promise<void> {
  const current = await store.readDocument(DOCUMENT, { signal, limit: LIMIT });
  expect(await swapText(store, text, current?.version ?? null)).toBeDefined();
}

export async function documentOf(store: ObjectStore, key = DOCUMENT): Promise<string | undefined> {
  return asText(await store.readDocument(key, { signal, limit: LIMIT }));
}

/** The keys of a list, sorted. */
export async function keysBelow(store: ObjectStore, below: StoreKey | null): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(below, signal)) keys.push(key);
  return keys.toSorted();
}

/** A file of this machine as a content to put. */
export async function fileOf(bytes: Uint8Array): Promise<Extract<ObjectContent, { kind: 'file' }>> {
  const path = join(await temporaryFolder(), 'content');
  await writeFile(path, bytes);
  const digest = parseDigest(createHash('sha256').update(bytes).digest('hex'));
  return { kind: 'file', path, bytes: bytes.length, digest: digest! };
}

/** Makes sure that nothing half is left. */
export async function expectNothingLeft({ leftovers }: StoreUnderTest): Promise<void> {
  expect((await leftovers?.()) ?? []).toEqual([]);
}

/** A content as a text. */
export function asText(content: { readonly bytes: Uint8Array } | undefined): string | undefined {
  return content && Buffer.from(content.bytes).toString('utf8');
}

/** A request for the whole content unless it says otherwise. */
export function wanting(request: Partial<OpenRequest>): OpenRequest {
  return { start: 0, end: null, validator: null, signal, ...request };
}

/** A whole object. */
export async function readObject(source: Source): Promise<Buffer> {
  return bodyOf(await source.open(wanting({})));
}

/** Some sources only notice while the body is read. */
export async function readPinned(source: Source, request: Partial<OpenRequest> = {}): Promise<void> {
  await bodyOf(await source.open(wanting(request)));
}

/** The bytes of a body. A chunk is its reader's only until the next one is asked for. */
export async function bodyOf({ body }: { readonly body: AsyncIterable<Uint8Array> }): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

import * as z from 'zod';
import { Failure } from '../../../shared/failure';
import { digest, modelName } from '../../../shared/manifest/text-rules';
import { type ModelName, modelKey, parseModelName } from '../../../shared/model-name';
import { PUBLISHED_KINDS } from '../../../shared/publication';
import type { ObjectStore, ReadContent } from '../object-store';
import { type PublishedPointer, readPointer } from './pointer';
import { INDEX_KEY } from './publication-keys';

const indexEntry = z.object({
  name: modelName,
  holds: z.enum(PUBLISHED_KINDS).default('model'),
  combined: digest,
  bytes: z.int().min(0),
  files: z.int().min(0),
  published_at_unix_ms: z.int().min(0)
});

/** `_dock/index.json`: what is published, for people who browse. Pointers alone decide. */
const indexDocument = z.object({ version: z.literal(1), publications: z.array(indexEntry) });

export type IndexEntry = z.infer<typeof indexEntry>;

/** The largest index that is read, in bytes: some 50,000 publications. */
const LARGEST_INDEX_BYTES = 8 * 1024 * 1024;

/** So many times others may be faster. */
const ATTEMPTS = 100;

/**
 * What an index lists, sorted by name, each name once.
 * @returns undefined when there is none, or one that nobody understands: then it is written anew
 * @throws Failure when the store cannot be asked
 */
export async function readIndex(store: ObjectStore, signal: AbortSignal): Promise<readonly IndexEntry[] | undefined> {
  return entriesOf(await store.readDocument(INDEX_KEY, { signal, limit: LARGEST_INDEX_BYTES }));
}

/**
 * Has the index say of names what their pointers say. The pointers are read after the index, so that of several writers
 * the last one knows what all did.
 * @param names with `all`, the only ones that stay
 * @throws Failure
 */
export async function refreshIndex(
  store: ObjectStore,
  names: readonly ModelName[],
  signal: AbortSignal,
  { all = false }: { readonly all?: boolean } = {}
): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const found = await store.readDocument(INDEX_KEY, { signal, limit: LARGEST_INDEX_BYTES });
    const before = entriesOf(found) ?? [];
    const asked = all ? [...names, ...before.flatMap((entry) => parseModelName(entry.name) ?? [])] : names;
    const entries = new Map(before.map((entry) => [keyOf(entry.name), entry]));
    for (const name of new Map(asked.map((each) => [modelKey(each), each])).values()) {
      const pointer = (await readPointer(store, name, signal))?.pointer;
      if (pointer?.kind === 'published') entries.set(modelKey(name), entryOf(pointer));
      else entries.delete(modelKey(name));
    }
    const publications = [...entries].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, entry]) => entry);
    const text = `${JSON.stringify({ version: 1, publications })}\n`;
    if (found && Buffer.from(text).equals(found.bytes)) return;
    if ((await store.swapDocument(INDEX_KEY, Buffer.from(text), found?.version ?? null, signal)) !== undefined) return;
  }
  throw new Failure('busy', 'Others keep changing the list of the store.', { subject: `${store.label}/${INDEX_KEY}` });
}

function entriesOf(found: ReadContent | undefined): readonly IndexEntry[] | undefined {
  if (!found) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(found.bytes).toString('utf8'));
  } catch {
    return undefined;
  }
  const parsed = indexDocument.safeParse(value);
  if (!parsed.success) return undefined;
  const entries = new Map(parsed.data.publications.map((entry) => [keyOf(entry.name), entry]));
  return [...entries].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, entry]) => entry);
}

function entryOf({ name, holds, combined, bytes, files, published_at_unix_ms }: PublishedPointer): IndexEntry {
  return { name, holds, combined, bytes, files, published_at_unix_ms };
}

function keyOf(name: string): string {
  const parsed = parseModelName(name);
  return parsed === undefined ? name : modelKey(parsed);
}

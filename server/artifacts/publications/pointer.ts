import * as z from 'zod';
import { Failure } from '../../../shared/failure';
import { digest, modelName } from '../../../shared/manifest/text-rules';
import type { ModelName } from '../../../shared/model-name';
import { modelKey, parseModelName } from '../../../shared/model-name';
import { PUBLISHED_KINDS, type PublishedKind } from '../../../shared/publication';
import type { ObjectStore } from '../object-store';
import type { StoreKey } from '../store-key';
import { badPublication, parseJson } from './publication-fault';
import { isAttempt, pointerKey } from './publication-keys';

const attempt = z.string().refine(isAttempt, 'is not the name of an attempt');

/** Attempts that were the publication before, and until when: whoever began to fetch one may still be at it. */
const replaced = z.array(z.object({ attempt, until_unix_ms: z.int().min(0) })).default([]);

const common = { version: z.literal(1), name: modelName, attempt, replaced };

/**
 * `<name>/_current.json`: the commit of a publication. A name that was withdrawn keeps its document, so that a
 * publication of the same moment is never taken away by a writer that did not see it.
 */
const pointerDocument = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('published'),
    ...common,
    holds: z.enum(PUBLISHED_KINDS).default('model'),
    combined: digest,
    bytes: z.int().min(0),
    files: z.int().min(0),
    published_at_unix_ms: z.int().min(0)
  }),
  z.object({ kind: z.literal('withdrawn'), ...common, withdrawn_at_unix_ms: z.int().min(0) })
]);

export type Pointer = z.infer<typeof pointerDocument>;
export type PublishedPointer = Extract<Pointer, { kind: 'published' }>;

/** A pointer with the version of its document. */
export interface ReadPointer {
  readonly pointer: Pointer;
  readonly version: string;
}

/** The largest pointer that is read, in bytes. */
const LARGEST_POINTER_BYTES = 1024 * 1024;

/** How long an attempt that nothing names any more is kept, in ms: seven days. */
export const KEPT_MS = 7 * 24 * 3600 * 1000;

/** Reads what a store says of a name. @throws Failure('bad-publication') when nobody can tell what it says */
export async function readPointer(
  store: ObjectStore,
  name: ModelName,
  signal: AbortSignal
): Promise<ReadPointer | undefined> {
  const found = await readPointerAt(store, pointerKey(name), signal);
  if (found === undefined || nameKey(found.pointer) === modelKey(name)) return found;
  throw badPublication(store, pointerKey(name), `The document is that of ${found.pointer.name}.`);
}

/** As {@link readPointer}, by the key of the document. */
export async function readPointerAt(
  store: ObjectStore,
  key: StoreKey,
  signal: AbortSignal
): Promise<ReadPointer | undefined> {
  const found = await store.readDocument(key, { signal, limit: LARGEST_POINTER_BYTES });
  if (!found) return undefined;
  const parsed = pointerDocument.safeParse(parseJson(store, key, found.bytes));
  if (parsed.success) return { pointer: parsed.data, version: found.version };
  throw badPublication(
    store,
    key,
    'The document that names the publication cannot be understood.',
    'Look at what wrote it; remove it from the store to publish the model anew.'
  );
}

/** The bytes of a pointer's document. */
export function pointerBytes(pointer: Pointer): Uint8Array {
  return Buffer.from(`${JSON.stringify(pointer)}\n`);
}

/** What the next pointer says of those before: the attempt that it replaces, and earlier ones that still count. */
export function replacedBy(previous: Pointer | undefined, now: number): Pointer['replaced'] {
  if (!previous) return [];
  const kept = previous.replaced.filter((before) => now - before.until_unix_ms < 2 * KEPT_MS);
  return [...kept, { attempt: previous.attempt, until_unix_ms: now }];
}

/** @throws Failure('bad-request') when what is published under a name would be replaced by something of another kind */
export function requireSameKind(
  { label }: Pick<ObjectStore, 'label'>,
  previous: Pointer | undefined,
  holds: PublishedKind
): void {
  if (previous?.kind !== 'published' || previous.holds === holds) return;
  const { name } = previous;
  const [present, wanted] =
    holds === 'results'
      ? ['a model', 'the results of a batch do not replace it']
      : ['the results of a batch', 'a model does not replace them'];
  throw new Failure('bad-request', `What is published as ${name} is ${present}; ${wanted}.`, {
    subject: `${label}/${name}`,
    nextStep: 'Choose another name or another store, or unpublish what is there.'
  });
}

function nameKey({ name }: Pointer): string | undefined {
  const parsed = parseModelName(name);
  return parsed && modelKey(parsed);
}

import * as z from 'zod';
import { generationDefaults } from '../../../shared/manifest/generation-defaults';
import type { InstalledManifest } from '../../../shared/manifest/installed-manifest';
import { bundlePath } from '../../../shared/manifest/text-rules';
import { ROLES, TASKS } from '../../../shared/roles';
import type { ObjectStore } from '../object-store';
import type { StoreKey } from '../store-key';
import { badPublication, parseJson } from './publication-fault';

/** `diffusion-dock.json` of an artifact: what the engine and people need to know of its other files. */
const artifactFacts = z.object({
  version: z.literal(1),
  source: z.string().optional(),
  revision: z.string().optional(),
  task: z.enum(TASKS).optional(),
  engine: z.enum(['sd-cpp']).optional(),
  license: z.string().optional(),
  defaults: generationDefaults.optional(),
  roles: z.array(z.object({ name: bundlePath, role: z.enum(ROLES) }))
});

export type ArtifactFacts = z.infer<typeof artifactFacts>;

/** The largest that is read, in bytes. */
export const LARGEST_FACTS_BYTES = 4 * 1024 * 1024;

/**
 * What an installed bundle says besides its contents. The same bytes on every machine that has the same bundle, so that
 * one that was fetched and is published again changes nothing.
 */
export function factsText({ source, revision, task, engine, license, defaults, files }: InstalledManifest): string {
  const roles = files
    .flatMap(({ path, role }) => (role === undefined ? [] : [{ name: path, role }]))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const told = Object.entries({ source, revision, task, engine, license }).filter(([, text]) => text);
  const facts = { version: 1, ...Object.fromEntries(told), ...(defaults && { defaults: sorted(defaults) }), roles };
  return `${JSON.stringify(facts, null, 2)}\n`;
}

/** @param key for failures @throws Failure('bad-publication') */
export function readFacts(store: Pick<ObjectStore, 'label'>, key: StoreKey, bytes: Uint8Array): ArtifactFacts {
  const parsed = artifactFacts.safeParse(parseJson(store, key, bytes));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const finding = `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim();
  throw badPublication(store, key, `What the publication says of its files cannot be used: ${finding}.`);
}

/** The fields of a value in one order, whoever wrote it. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDigest } from '../../../shared/digest';
import { parseModelName } from '../../../shared/model-name';
import type { FolderEntry, ManifestKnowledge } from '../../manifest/knowledge';
import type { WeightsDescription } from '../../weights/describe';
import { knownModels } from '../models/known-models';
import { summariseModel } from '../models/list-models';
import type { Services } from '../services';

type Parts = Pick<
  Services,
  'registry' | 'manifestsInView' | 'layout' | 'survey' | 'weights' | 'log' | 'environment' | 'credentials' | 'stores'
>;

/** More entries than these of one folder are not offered: nobody scrolls through them. */
const MOST_ENTRIES = 1000;

/** What the cache, the registry and the disk know about what a manifest says. What cannot be read is unknown. */
export function manifestKnowledge(services: Parts): ManifestKnowledge {
  return {
    credentialAliases: () => orNothing(services.credentials.aliases(), []),
    entriesOf: (folder) => orNothing(entriesOf(folder), []),
    async model(name) {
      const parsed = parseModelName(name);
      return parsed && orNothing(summariseModel(services, parsed), undefined);
    },
    weights: (name, path) => orNothing(weightsOf(services, name, path), undefined),
    holdersOf: (digest) => orNothing(holdersOf(services, digest), []),
    canPublish: Object.keys(services.stores ?? {}).length > 0
  };
}

async function entriesOf(folder: string): Promise<FolderEntry[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .slice(0, MOST_ENTRIES)
    .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
}

async function weightsOf(
  { survey, layout, weights }: Parts,
  name: string,
  path: string
): Promise<WeightsDescription | undefined> {
  const parsed = parseModelName(name);
  const bundle = parsed && (await survey.look(parsed));
  const isThere =
    bundle?.kind === 'present' && bundle.files.some(({ file, problem }) => file.path === path && !problem);
  if (!parsed || !isThere) return undefined;
  const reading = await weights.look(join(layout.model(parsed), path));
  return reading.kind === 'read' ? reading.description : undefined;
}

async function holdersOf(services: Parts, digest: string): Promise<string[]> {
  const wanted = parseDigest(digest);
  const models = wanted === undefined ? [] : await knownModels(services);
  return models.flatMap(({ name, manifest, installed }) =>
    installed && manifest.files.some(({ sha256 }) => sha256 === wanted) ? [name] : []
  );
}

/** Knowledge that is not to be had is none; what went wrong is told by the operations themselves. */
async function orNothing<T>(answer: Promise<T>, nothing: T): Promise<T> {
  try {
    return await answer;
  } catch {
    return nothing;
  }
}

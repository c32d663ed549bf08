import { Failure } from '../../shared/failure';
import { type ModelName, modelKey, modelNameProblem, parseModelName } from '../../shared/model-name';
import { exists } from '../platform/durable-files';
import { findEntry } from '../registry/registry-state';
import { knownModels } from './known-models';
import type { Services } from './services';

/** What a model is to be called from now on. */
export interface Renaming {
  /** Absolute path of the manifest that names it; undefined when it is no local file. */
  readonly path: string | undefined;
  readonly from: string;
  readonly to: string;
}

type Parts = Pick<Services, 'registry' | 'manifestsInView' | 'layout'>;

/**
 * Looks whether a model that is not installed may have another name. Nothing is changed: the manifests are the editor's,
 * and the list of models follows them.
 * @returns absolute paths of other manifests that say the same, and have to say the new name as well
 * @throws Failure that says why the model cannot have the name
 */
export async function checkRenaming(services: Parts, { path, from, to }: Renaming): Promise<readonly string[]> {
  const problem = modelNameProblem(to);
  const name = parseModelName(to);
  if (!name) throw new Failure('bad-request', `The name ${problem ?? 'is no name of a model'}.`, { subject: to });
  const before = parseModelName(from);
  const isSameModel = before !== undefined && modelKey(before) === modelKey(name);
  if (!isSameModel) await requireFree(services, name);
  if (path === undefined || before === undefined) return [];
  const { manifestsInView } = services;
  // Where another manifest claims the name for another model, this one was never known by it alone.
  if (await manifestsInView.namesakesOf(path)) return [];
  if (!isSameModel) await requireNotInstalled(services, before);
  return manifestsInView.twinsOf(path);
}

async function requireFree(services: Parts, name: ModelName): Promise<void> {
  const taken = (await knownModels(services)).find((model) => modelKey(model.name) === modelKey(name));
  const isTaken = taken !== undefined || (await exists(services.layout.model(name)));
  if (!isTaken) return;
  throw new Failure('bad-request', `There is a model named ${taken?.name ?? name} already.`, {
    subject: name,
    nextStep: 'Choose another name; upper and lower case make no difference.'
  });
}

/** A bundle carries its name in its own manifest, so it is not moved. */
async function requireNotInstalled(services: Parts, name: ModelName): Promise<void> {
  const entry = findEntry(await services.registry.read(), name);
  if (!entry?.installed && !(await exists(services.layout.model(name)))) return;
  throw new Failure('busy', `${name} is installed under this name.`, {
    subject: name,
    nextStep: 'Remove its files, rename it, then pull it: what is stored already is not transferred again.'
  });
}

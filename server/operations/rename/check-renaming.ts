import { Failure } from '../../../shared/failure';
import { type ModelName, modelKey, modelNameProblem, parseModelName } from '../../../shared/model-name';
import { exists } from '../../platform/durable-files';
import { knownModels } from '../models/known-models';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { isInstalledAs } from './rename-model';

/** What a model is to be called from now on. */
export interface Renaming {
  /** Absolute path of the manifest that names it; undefined when it is no local file. */
  readonly path: string | undefined;
  readonly from: string;
  readonly to: string;
}

type Parts = Pick<Services, 'registry' | 'manifestsInView' | 'layout' | 'isTrusted' | 'jobs'>;

/**
 * Looks whether a model may have another name. Nothing is changed: the manifests are the editor's, the list of models
 * follows them, and what is installed once they are saved.
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
  if (!isSameModel) await requireMovable(services, before);
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

/** What is installed is not moved for a workspace that nobody trusts, and not while a job is at it. */
async function requireMovable(services: Parts, name: ModelName): Promise<void> {
  if (!(await isInstalledAs(services, name))) return;
  requireTrust(services, 'Renaming an installed model');
  services.jobs.requireIdle(name);
}

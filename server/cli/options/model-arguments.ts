import { resolve } from 'node:path';
import { Failure } from '../../../shared/failure';
import { type ModelName, modelKey, parseModelName } from '../../../shared/model-name';
import { findModel, type KnownModel, knownModels } from '../../operations/models/known-models';
import { modelFromManifest } from '../../operations/models/register-model';
import type { CommandContext, CommandInput } from '../command';

/** Whether an argument means a manifest file and not the name of a model. */
function isManifestPath(argument: string): boolean {
  return /[/\\]/.test(argument) || argument.toLowerCase().endsWith('.json');
}

/** The model of an argument: a manifest file describes it, a name is looked up. @throws Failure */
export function modelOf(argument: string, { services, folder }: CommandContext): Promise<KnownModel> {
  if (isManifestPath(argument)) return modelFromManifest(resolve(folder, argument));
  return findModel(services, argument);
}

/**
 * What an argument means where a new name is welcome.
 * @throws Failure when it is neither a manifest file nor a known model nor a good name
 */
export async function newOrKnown(
  argument: string,
  context: CommandContext
): Promise<
  { readonly kind: 'known'; readonly model: KnownModel } | { readonly kind: 'new'; readonly name: ModelName }
> {
  const name = isManifestPath(argument) ? undefined : parseModelName(argument);
  const isKnown = (model: KnownModel): boolean => name !== undefined && modelKey(model.name) === modelKey(name);
  if (name === undefined || (await knownModels(context.services)).some(isKnown)) {
    return { kind: 'known', model: await modelOf(argument, context) };
  }
  return { kind: 'new', name };
}

/** The models named on the command line; with none, or with `--all`, every known one. @throws Failure */
export async function namedModels(input: CommandInput, { services }: CommandContext): Promise<readonly KnownModel[]> {
  if (input.names.length === 0 || input.flag('all')) return knownModels(services);
  return Promise.all(input.names.map((name) => findModel(services, name)));
}

/** @throws Failure('wrong-usage') unless there is exactly one argument */
export function onlyArgument({ names }: CommandInput, what: string): string {
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return only;
  throw new Failure('wrong-usage', `Name exactly one ${what}.`);
}

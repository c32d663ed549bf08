import type { EngineSummary } from '../../../shared/engine';
import { Failure } from '../../../shared/failure';
import {
  changeSelection,
  type EngineSelection,
  readSelection,
  readVersion
} from '../../engine/install/installed-engines';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { engineInUse, environmentOf } from './engine-in-use';
import { describeEngine } from './engine-status';

/** What is to be found before PATH is searched; null: nothing. */
export type EngineChoice = EngineSelection['chosen'];

/**
 * Remembers which engine is used, after it was asked for its version.
 * @returns the engine that is used now, which a setting or a variable may decide otherwise
 * @throws Failure; the choice is as it was then, unless it was made and the engine in use fails
 */
export async function chooseEngine(
  services: Services,
  choice: EngineChoice,
  signal: AbortSignal
): Promise<EngineSummary> {
  requireTrust(services, 'Choosing an engine');
  const { engines } = services.layout;
  if (choice === 'installed' && !(await readVersion(engines, (await readSelection(engines)).current)))
    throw nothingInstalled();
  if (choice !== null && choice !== 'installed') await tryEngine(services, choice.path, signal);
  await changeSelection(engines, (before) => ({ ...before, chosen: choice }));
  return describeEngine(await engineInUse(services, { signal }));
}

/** Asks a program whether it is an engine that runs here, and for what it can do. @throws Failure */
export async function tryEngine(services: Services, path: string, signal: AbortSignal): Promise<EngineSummary> {
  requireTrust(services, 'Starting an engine');
  const found = { path, origin: 'chosen' as const };
  const environment = environmentOf(services, found);
  const abilities = await services.probes.abilities({ path, environment, signal, fresh: true });
  return describeEngine({ ...found, environment, abilities });
}

/**
 * Goes back to the engine that was installed before, when it still runs; the present one becomes the one to go back to.
 * @throws Failure('engine-missing') when none is kept
 */
export async function rollBackEngine(services: Services, signal: AbortSignal): Promise<EngineSummary> {
  requireTrust(services, 'Changing the engine');
  const { engines } = services.layout;
  const { previous } = await readSelection(engines);
  const version = await readVersion(engines, previous);
  if (!version) throw noPrevious();
  const found = { path: version.path, origin: 'installed' as const };
  const environment = environmentOf(services, found);
  const abilities = await services.probes.abilities({ path: version.path, environment, signal, fresh: true });
  await changeSelection(engines, (before) => ({ ...before, current: previous, previous: before.current }));
  return describeEngine({ ...found, environment, abilities });
}

function noPrevious(): Failure {
  return new Failure('engine-missing', 'No earlier engine is kept.', {
    subject: 'sd-cli',
    nextStep: 'Install the release that you want: diffusion-dock engine install --release TAG'
  });
}

function nothingInstalled(): Failure {
  return new Failure('engine-missing', 'No engine was installed.', {
    subject: 'sd-cli',
    nextStep: 'Install one: diffusion-dock engine install'
  });
}

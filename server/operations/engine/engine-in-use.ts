import { dirname } from 'node:path';
import type { EngineAbilities } from '../../engine/abilities';
import { engineEnvironment } from '../../engine/environment';
import { type FoundEngine, findEngine } from '../../engine/find';
import type { Services } from '../services';

/** The engine that runs are made with. */
export interface EngineInUse extends FoundEngine {
  /** All that it gets to see of an environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly abilities: EngineAbilities;
}

export interface EngineInUseOptions {
  readonly signal: AbortSignal;
  /** Whether to ask it for its abilities even when they are remembered. */
  readonly fresh?: boolean;
}

/**
 * Finds the engine and says what it can do.
 * @throws Failure 'engine-missing', 'engine-unusable', 'cancelled'
 */
export async function engineInUse(services: Services, options: EngineInUseOptions): Promise<EngineInUse> {
  const found = await locateEngine(services);
  const environment = environmentOf(services, found);
  const abilities = await services.probes.abilities({ path: found.path, environment, ...options });
  return { ...found, environment, abilities };
}

/** What an engine gets to see of an environment. */
export function environmentOf({ environment }: Services, { path, origin }: FoundEngine): Record<string, string> {
  return engineEnvironment(environment, process.platform, origin === 'installed' ? dirname(path) : undefined);
}

/** Finds the engine; it is not started. @throws Failure 'engine-missing', 'engine-unusable' */
export function locateEngine({ environment, sdCliPath, layout }: Services): Promise<FoundEngine> {
  return findEngine({
    configuredPath: sdCliPath,
    environment,
    engineFolder: layout.engines,
    platform: process.platform
  });
}

import type { EngineSummary, InstalledEngineSummary } from '../../../shared/engine';
import { Failure, type FailureData } from '../../../shared/failure';
import { type InstalledEngine, readSelection, readVersion } from '../../engine/install/installed-engines';
import type { Services } from '../services';
import { type EngineInUse, engineInUse } from './engine-in-use';

/** The engine in use, or why there is none, and those that we installed. */
export interface EngineStatus {
  readonly engine: EngineSummary | null;
  /** Why there is none. */
  readonly problem: FailureData | null;
  readonly installed: InstalledEngineSummary | null;
  /** What a rollback goes back to. */
  readonly previous: InstalledEngineSummary | null;
}

/** Asks the engine in use for its abilities, and says what is installed. @throws Failure('cancelled'), Failure('file-access') */
export async function engineStatus(services: Services, signal: AbortSignal): Promise<EngineStatus> {
  const { engines } = services.layout;
  const { current, previous } = await readSelection(engines);
  return {
    ...(await inUse(services, signal)),
    installed: described(await readVersion(engines, current)),
    previous: described(await readVersion(engines, previous))
  };
}

/** An engine with all that it can do, as plain data. */
export function describeEngine({ path, origin, abilities }: EngineInUse): EngineSummary {
  const { version, digest, devices, options, samplingMethods, schedulers } = abilities;
  return {
    path,
    origin,
    version,
    digest,
    devices,
    options: [...options],
    samplingMethods: [...samplingMethods],
    schedulers: [...schedulers]
  };
}

/** An installed engine as plain data. */
export function describeInstalled({ record, path }: InstalledEngine): InstalledEngineSummary {
  const { release, variant, version, installed_at_unix_ms, digest_origin } = record;
  return { release, variant, path, version, installedAt: installed_at_unix_ms, digestOrigin: digest_origin };
}

async function inUse(services: Services, signal: AbortSignal): Promise<Pick<EngineStatus, 'engine' | 'problem'>> {
  try {
    return { engine: describeEngine(await engineInUse(services, { signal, fresh: true })), problem: null };
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
    return { engine: null, problem: error.toJSON() };
  }
}

function described(installed: InstalledEngine | undefined): InstalledEngineSummary | null {
  return installed ? describeInstalled(installed) : null;
}

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { Failure } from '../../shared/failure';
import { isErrorWithCode } from '../platform/system-error';

export interface EngineSearch {
  /** The setting; absent or empty: not set. */
  readonly configuredPath?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `<cache root>/engine`. */
  readonly engineFolder: string;
  readonly platform: NodeJS.Platform;
}

export interface FoundEngine {
  /** Absolute path of sd-cli. */
  readonly path: string;
  /** Where it was found, in the order of the search. */
  readonly origin: 'setting' | 'environment' | 'path' | 'installed';
}

/** The variable that names sd-cli when the setting does not. */
const PATH_VARIABLE = 'DIFFUSION_DOCK_SD_CLI';

/**
 * Finds sd-cli: the setting, DIFFUSION_DOCK_SD_CLI, PATH, then what we installed ourselves. A path that somebody
 * named is never skipped silently.
 * @throws Failure 'engine-missing' when a named path does not exist or there is none anywhere; 'engine-unusable'
 * when a named path is a folder
 */
export async function findEngine(search: EngineSearch): Promise<FoundEngine> {
  const { configuredPath, environment, engineFolder, platform } = search;
  if (configuredPath) return { path: await configured(configuredPath), origin: 'setting' };
  const named = environment[PATH_VARIABLE];
  if (named) return { path: await existing(resolve(named), `The variable ${PATH_VARIABLE}`), origin: 'environment' };
  const program = platform === 'win32' ? 'sd-cli.exe' : 'sd-cli';
  for (const folder of searchPath(environment, platform)) {
    const path = join(folder, program);
    if (await isProgram(path)) return { path, origin: 'path' };
  }
  const installed = join(engineFolder, 'current', program);
  if (await isProgram(installed)) return { path: installed, origin: 'installed' };
  throw new Failure('engine-missing', 'No sd-cli was found on this machine.', {
    subject: 'sd-cli',
    nextStep: 'Install stable-diffusion.cpp, then put sd-cli on the PATH or name its path in the settings.'
  });
}

/** A relative setting would depend on the folder that somebody happens to have open, so it is refused. */
async function configured(path: string): Promise<string> {
  if (isAbsolute(path)) return existing(path, 'The setting');
  throw new Failure('engine-missing', `The setting names a relative path of sd-cli: ${path}.`, {
    subject: path,
    nextStep: 'Use an absolute path.'
  });
}

async function existing(path: string, who: string): Promise<string> {
  const nextStep = 'Correct the path, or remove it to search for sd-cli.';
  try {
    if (!(await stat(path)).isDirectory()) return path;
  } catch (cause) {
    throw new Failure('engine-missing', `${who} names an sd-cli that cannot be found: ${path}.`, {
      subject: path,
      nextStep,
      cause
    });
  }
  throw new Failure('engine-unusable', `${who} names a folder, not sd-cli itself: ${path}.`, {
    subject: path,
    nextStep
  });
}

/** Folders of PATH. Relative and empty entries mean the current folder, from which we start nothing. */
function searchPath(environment: EngineSearch['environment'], platform: NodeJS.Platform): string[] {
  const isPath = (name: string): boolean => (platform === 'win32' ? name.toUpperCase() === 'PATH' : name === 'PATH');
  const [, value = ''] = Object.entries(environment).find(([name]) => isPath(name)) ?? [];
  return value.split(delimiter).filter((folder) => isAbsolute(folder));
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG')) return false;
    throw error;
  }
}

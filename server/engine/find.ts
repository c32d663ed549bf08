import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import type { EngineOrigin } from '../../shared/engine';
import { Failure } from '../../shared/failure';
import { isErrorWithCode } from '../platform/system-error';
import { readSelection, readVersion } from './install/installed-engines';

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
  readonly origin: EngineOrigin;
}

/** The variable that names sd-cli when the setting does not. */
export const PATH_VARIABLE = 'DIFFUSION_DOCK_SD_CLI';

/**
 * Finds sd-cli: the setting, DIFFUSION_DOCK_SD_CLI, what was chosen, PATH, then what we installed ourselves. A path that
 * somebody named is never skipped silently.
 * @throws Failure 'engine-missing' when a named path does not exist or there is none anywhere; 'engine-unusable'
 * when a named path is a folder
 */
export async function findEngine(search: EngineSearch): Promise<FoundEngine> {
  const { configuredPath, environment, engineFolder, platform } = search;
  if (configuredPath) return { path: await configured(configuredPath), origin: 'setting' };
  const named = environment[PATH_VARIABLE];
  if (named) return { path: await existing(resolve(named), `The variable ${PATH_VARIABLE}`), origin: 'environment' };
  const selection = await readSelection(engineFolder);
  const installed = await readVersion(engineFolder, selection.current);
  if (selection.chosen === 'installed' && installed) return { path: await chosen(installed.path), origin: 'installed' };
  if (selection.chosen !== null && selection.chosen !== 'installed') {
    return { path: await chosen(selection.chosen.path), origin: 'chosen' };
  }
  const program = engineProgram(platform);
  for (const folder of searchPath(environment, platform)) {
    const path = join(folder, program);
    if (await isProgram(path)) return { path, origin: 'path' };
  }
  if (installed && (await isProgram(installed.path))) return { path: installed.path, origin: 'installed' };
  throw new Failure('engine-missing', 'No sd-cli was found on this machine.', {
    subject: 'sd-cli',
    nextStep: 'Install it (diffusion-dock engine install), put it on the PATH, or name its path in the settings.'
  });
}

/** The name of the program's file. */
export function engineProgram(platform: NodeJS.Platform): string {
  return platform === 'win32' ? 'sd-cli.exe' : 'sd-cli';
}

/** What somebody chose is never passed over silently. */
function chosen(path: string): Promise<string> {
  return existing(path, 'The choice of an engine', 'Choose another one: diffusion-dock engine use PATH');
}

/** A relative setting would depend on the folder that somebody happens to have open, so it is refused. */
async function configured(path: string): Promise<string> {
  if (isAbsolute(path)) return existing(path, 'The setting');
  throw new Failure('engine-missing', `The setting names a relative path of sd-cli: ${path}.`, {
    subject: path,
    nextStep: 'Use an absolute path.'
  });
}

async function existing(
  path: string,
  who: string,
  nextStep = 'Correct the path, or remove it to search for sd-cli.'
): Promise<string> {
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

import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** The environment variable that names the cache root. */
export const HOME_VARIABLE = 'DIFFUSION_DOCK_HOME';

/**
 * Where the cache lies: the given folder, else DIFFUSION_DOCK_HOME, else the platform's data folder. An empty text
 * counts as not given.
 * @returns an absolute path
 */
export function cacheRoot(configured: string | undefined, environment: NodeJS.ProcessEnv): string {
  const named = configured || environment[HOME_VARIABLE];
  if (named) return resolve(named.replace(/^~(?=$|[/\\])/, homedir()));
  return join(dataFolder(environment), 'diffusion-dock');
}

function dataFolder(environment: NodeJS.ProcessEnv): string {
  switch (process.platform) {
    case 'win32':
      return absolute(environment['LOCALAPPDATA']) ?? join(homedir(), 'AppData', 'Local');
    case 'darwin':
      return join(homedir(), 'Library', 'Application Support');
    default:
      return absolute(environment['XDG_DATA_HOME']) ?? join(homedir(), '.local', 'share');
  }
}

/** The XDG specification has relative paths ignored. */
function absolute(path: string | undefined): string | undefined {
  return path && isAbsolute(path) ? path : undefined;
}

import { realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { Declined } from './declined';

export interface ServerSearch {
  /** The setting; absent or empty: not set. */
  readonly configuredPath?: string | undefined;
  /** Absolute path of sd-cli. */
  readonly enginePath: string;
  readonly platform: NodeJS.Platform;
}

/**
 * Finds sd-server: the setting, else beside sd-cli, where releases have it.
 * @throws Declined when there is none
 */
export async function findServer({ configuredPath, enginePath, platform }: ServerSearch): Promise<string> {
  if (configuredPath) {
    if (isAbsolute(configuredPath) && (await isFile(configuredPath))) return configuredPath;
    throw new Declined(`The setting names an sd-server that cannot be found: ${configuredPath}.`);
  }
  const program = platform === 'win32' ? 'sd-server.exe' : 'sd-server';
  // On the PATH there are often links to programs that lie elsewhere.
  const resolved = await realpath(enginePath).catch(() => enginePath);
  for (const folder of new Set([dirname(enginePath), dirname(resolved)])) {
    const path = join(folder, program);
    if (await isFile(path)) return path;
  }
  throw new Declined('There is no sd-server beside sd-cli.');
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false
  );
}

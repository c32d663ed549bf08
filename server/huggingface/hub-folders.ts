import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the hub's own tools keep what belongs to a user: HF_HOME, else `huggingface` among the user's caches. */
export function hubHome(environment: Environment): string {
  const named = environment['HF_HOME'] || join(environment['XDG_CACHE_HOME'] || join('~', '.cache'), 'huggingface');
  return expandHome(named);
}

/**
 * The cache that the hub's own tools share: HF_HUB_CACHE, the legacy HUGGINGFACE_HUB_CACHE, else `hub` in their home.
 * A leading `~` is the user's folder, as in those tools.
 * @returns an absolute path; nothing needs to be there
 */
export function hubCacheFolder(environment: Environment): string {
  const named = environment['HF_HUB_CACHE'] || environment['HUGGINGFACE_HUB_CACHE'];
  return named ? expandHome(named) : join(hubHome(environment), 'hub');
}

function expandHome(path: string): string {
  return resolve(/^~(?=[/\\]|$)/.test(path) ? join(homedir(), path.slice(1)) : path);
}

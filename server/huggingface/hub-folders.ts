import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the hub's own tools keep what belongs to a user: HF_HOME, else `huggingface` among the user's caches. */
export function hubHome(environment: Environment): string {
  return environment['HF_HOME'] || join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'huggingface');
}

/** The cache that the hub's own tools share: HF_HUB_CACHE, the legacy HUGGINGFACE_HUB_CACHE, else `hub` in their home. */
export function hubCacheFolder(environment: Environment): string {
  const named = environment['HF_HUB_CACHE'] || environment['HUGGINGFACE_HUB_CACHE'];
  return named || join(hubHome(environment), 'hub');
}

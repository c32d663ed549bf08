import { type FSWatcher, watch } from 'node:fs';
import { makeDirectoryDurably } from '../../platform/durable-files';
import type { Services } from '../services';

/** Changes come in bursts; they are told once, this long after the first, in ms. */
const GATHER_MS = 100;

/** Names of claims, and of what becomes one. */
const CLAIM = /\.claim/;

/**
 * Tells when the registry, the bundles or the partials change, whoever changes them: another window, the command line, or a
 * person with a file manager.
 * @returns ends the watching
 */
export async function watchModels(
  { layout, log }: Pick<Services, 'layout' | 'log'>,
  onChange: () => void
): Promise<() => void> {
  let pending: NodeJS.Timeout | undefined;
  const gather = (): void => {
    pending ??= setTimeout(() => {
      pending = undefined;
      onChange();
    }, GATHER_MS);
  };
  const watchers: FSWatcher[] = [];
  for (const folder of [layout.registry, layout.models, layout.partials]) {
    try {
      await makeDirectoryDurably(folder);
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        // Whoever waits for its turn on a content asks for its claim again and again.
        if (name === null || !CLAIM.test(name)) gather();
      });
      watcher.on('error', (error) => log.warn('stopped watching', { folder, reason: error.message }));
      watchers.push(watcher);
    } catch (error) {
      log.warn('cannot watch', { folder, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return () => {
    clearTimeout(pending);
    for (const watcher of watchers) watcher.close();
  };
}

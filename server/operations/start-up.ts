import { sweepScratch } from '../engine/scratch';
import { collectPartials } from '../pull/partial-folders';
import { recover } from '../store/recovery';
import type { Services } from './services';

/**
 * Finishes or undoes what crashed processes left behind, and ends engines that nobody waits for any more. To be done
 * once when a server or a command starts; a fault is logged and never keeps the start from going on.
 */
export async function cleanUpAfterCrashes({
  layout,
  log,
  clock,
  proofs
}: Pick<Services, 'layout' | 'log' | 'clock' | 'proofs'>): Promise<void> {
  try {
    for (const sentence of await recover(layout)) log.info(sentence);
    const { removed, ended, problems } = await sweepScratch(layout.scratch);
    if (removed > 0) log.info('removed scratch of dead processes', { folders: removed, engines: ended });
    for (const problem of problems) log.warn(problem);
    const stale = await collectPartials(layout.partials, clock.now());
    if (stale > 0) log.info('removed stale partials', { partials: stale });
    await proofs.collect();
  } catch (error) {
    log.error('failed recovery', { reason: error instanceof Error ? error.message : String(error) });
  }
}

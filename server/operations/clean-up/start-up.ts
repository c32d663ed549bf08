import { messageOf } from '../../../shared/failure';
import { SETTINGS } from '../../../shared/settings';
import { collectVersions } from '../../engine/install/installed-engines';
import { sweepScratch } from '../../engine/scratch';
import { collectPartials, type StalePartials } from '../../pull/partial/stale-partials';
import { recover } from '../../store/recovery';
import { restamp } from '../rename/restamp';
import type { Services } from '../services';

type Parts = Pick<Services, 'layout' | 'log' | 'clock' | 'proofs' | 'registry' | 'environment' | 'keepPartialsDays'>;

/**
 * Finishes or undoes what crashed processes left behind, and ends engines that nobody waits for any more. To be done
 * once when a server or a command starts; a fault is logged and never keeps the start from going on.
 */
export async function cleanUpAfterCrashes(services: Parts): Promise<void> {
  try {
    await cleanUp(services);
  } catch (error) {
    services.log.error('failed recovery', { reason: messageOf(error) });
  }
}

/**
 * The same for whoever is to hear of a fault.
 * @returns the unfinished downloads that were removed
 * @throws Failure, system errors
 */
export async function cleanUp(services: Parts): Promise<StalePartials> {
  const { layout, log, clock, proofs } = services;
  for (const sentence of await recover(layout, (operation) => restamp(services, operation))) log.info(sentence);
  const { removed, ended, problems } = await sweepScratch(layout.scratch);
  if (removed > 0) log.info('removed scratch of dead processes', { folders: removed, engines: ended });
  for (const problem of problems) log.warn(problem);
  const versions = await collectVersions(layout.engines);
  if (versions > 0) log.info('removed engines that nobody uses', { versions });
  const stale = await collectPartials(layout.partials, { now: clock.now(), keptMs: partialsKeptMs(services) });
  if (stale.partials > 0) log.info('removed stale partials', { ...stale });
  await proofs.collect();
  return stale;
}

/** Names how many days partials are kept where no editor says so. */
const KEEP_VARIABLE = 'DIFFUSION_DOCK_KEEP_PARTIALS_DAYS';

/** How long, in ms, a partial is kept that nobody goes on with; 0 days stand for ever, what makes no sense for the default. */
export function partialsKeptMs({
  keepPartialsDays,
  environment
}: Pick<Services, 'environment' | 'keepPartialsDays'>): number {
  const text = environment[KEEP_VARIABLE]?.trim();
  const days = keepPartialsDays ?? (text ? Number(text) : Number.NaN);
  if (days === 0) return Number.POSITIVE_INFINITY;
  return (days > 0 ? days : SETTINGS.keepPartialsDays.default) * 24 * 3600 * 1000;
}

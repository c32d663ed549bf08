import { setTimeout as after } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { STORE_JOBS, StoreLane, TRANSFER } from '../../support/faults/store-lane';
import { JOURNAL_MODES, PowerDisk } from '../../support/power/power-disk';
import { Random } from '../../support/random';
import { startCli } from '../../support/run-cli';

const JOBS = [TRANSFER, ...STORE_JOBS];

/** How many times the power is cut in all. */
const CUTS = Number(process.env['DIFFUSION_DOCK_CUTS']);

describe('on a real file system', () => {
  it.each(JOBS)('a power cut while a command $title leaves old or new, and the next one ends well', async (job) => {
    const random = new Random(5);
    const disk = await PowerDisk.create();
    const lane = await StoreLane.open(job, disk.folder);
    await lane.restore();
    const startedAt = performance.now();
    await lane.converge();
    const milliseconds = performance.now() - startedAt;
    const figures = { cuts: 0, acknowledged: 0 };
    while (figures.cuts < CUTS / JOBS.length) {
      await lane.restore();
      disk.settle();
      const { child, ended } = startCli(lane.words, lane);
      // The beginning of Node is of no interest.
      await after((0.3 + random.next()) * milliseconds);
      const isDone = child.exitCode === 0;
      disk.cutPower();
      child.kill('SIGKILL');
      await ended;
      disk.turnOff();
      await disk.turnOn(random.pick(JOURNAL_MODES));
      if (isDone) await lane.checkAcknowledged();
      await lane.checkRecovered();
      await lane.converge();
      figures.cuts += 1;
      if (isDone) figures.acknowledged += 1;
    }
    console.log(
      `${job.title}: ${figures.cuts} power cuts, ${figures.acknowledged} of them after the command had ended`
    );
  });
});

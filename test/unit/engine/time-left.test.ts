import { describe, expect, it } from 'vitest';
import { FallingEstimate } from '../../../server/engine/estimate';
import { EngineOutput } from '../../../server/engine/output';
import { ProgressReporter } from '../../../server/engine/progress';
import type { RunPlan } from '../../../server/engine/work-done';
import type { GenerationProgress } from '../../../shared/job-events';
import { recordedRun, recordedTimelines } from '../../support/stand-in/testing/recorded-run';

interface Told {
  readonly at: number;
  readonly progress: GenerationProgress;
}

/** What is told of a recorded run, with the pace at which the real engine wrote it, or so many times slower. */
function replay(
  name: string,
  plan: Partial<RunPlan> = {},
  slower = 1
): { readonly told: readonly Told[]; readonly endAt: number } {
  const told: Told[] = [];
  let now = 0;
  const ticker = { now: () => now, after: () => () => undefined };
  const onProgress = (progress: GenerationProgress) => told.push({ at: now, progress });
  const reporter = new ProgressReporter({ model: 'm', images: 1, ...plan, onProgress, ticker });
  const output = new EngineOutput((event) => reporter.observe(event));
  const text = recordedRun(name).stdout;
  let at = 0;
  for (const [milliseconds, length] of recordedTimelines()[name]!) {
    now = milliseconds * slower;
    output.writeOutput(Buffer.from(text.slice(at, at + length)));
    at += length;
  }
  output.end();
  reporter.flush();
  return { told, endAt: now };
}

describe('the seconds left of a recorded run', () => {
  it.each<[string, Partial<RunPlan>, number]>([
    ['txt2img-slow-steps', {}, 2],
    ['batch3-plain', { images: 3 }, 4],
    ['upscale-tiled', {}, 1.5]
  ])('%s: are true to a factor in the second half of what is told', (name, plan, factor) => {
    const { told, endAt } = replay(name, plan);
    const estimates = told.filter(({ progress }) => progress.secondsLeft !== undefined);
    expect(estimates.length).toBeGreaterThan(0);
    for (const { at, progress } of estimates.slice(Math.floor(estimates.length / 2))) {
      const real = (endAt - at) / 1000;
      // A second more or less is no matter.
      expect(progress.secondsLeft).toBeGreaterThanOrEqual(real / factor - 1);
      expect(progress.secondsLeft).toBeLessThanOrEqual(real * factor + 1);
    }
  });

  it('are not told before two steps were timed, for the first includes the reading of weights', () => {
    const { told } = replay('txt2img-slow-steps');
    const first = told.find(({ progress }) => progress.secondsLeft !== undefined);
    expect(first?.progress.step).toBe(2);
  });

  it('cover the second pass before it begins', () => {
    const { told } = replay('txt2img-hires', { hires: { scale: 2, steps: 2 } }, 1000);
    const lastOfFirst = told.findLast(({ progress }) => progress.pass === 1)?.progress;
    expect(lastOfFirst).toMatchObject({ step: 3, steps: 3, passes: 2 });
    // Two steps of four times the size, and then the decoding.
    expect(lastOfFirst?.fraction).toBeLessThan(0.2);
    const lastOfSecond = told.findLast(({ progress }) => progress.pass === 2)?.progress;
    expect(lastOfSecond).toMatchObject({ step: 2, steps: 2, passes: 2 });
    expect(lastOfSecond?.fraction).toBeLessThan(1);
  });
});

describe('an estimate', () => {
  it('falls, stays while it is only unsteady, and is withdrawn while it was wrong', () => {
    const estimate = new FallingEstimate();
    const shown = [100, 90, 95, 200, 190, 91, 80].map((seconds) => estimate.next(seconds));
    expect(shown).toEqual([100, 90, 90, undefined, undefined, 90, 80]);
  });
});

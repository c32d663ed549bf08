import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { imagesOf, type RunGoal, runFailure } from '../../../server/engine/explain';
import { ProgressReporter } from '../../../server/engine/progress';
import { briefText } from '../../../shared/generation-text';
import type { GenerationProgress } from '../../../shared/job-events';
import { allRecordedRunNames, recordedRun } from '../../support/stand-in/testing/recorded-run';
import { eventsOf, recording, recordOf } from './recordings';

const NAMES = allRecordedRunNames();

/** What each recording comes to, in the words that a user sees; to be read when it changes. */
const OUTCOMES = join(__dirname, '..', '..', 'fixtures', 'sd-cli', 'outcomes.txt');

function goalOf(argv: readonly string[]): RunGoal {
  const valueOf = (...options: string[]) => argv[argv.findIndex((word) => options.includes(word)) + 1];
  const mode = argv.some((word) => word === '-M' || word === '--mode') ? valueOf('-M', '--mode') : 'img_gen';
  if (mode === 'upscale') return { kind: 'enlarged', from: { width: 64, height: 64 } };
  if (mode !== 'img_gen' || argv.some((word) => ['--help', '--version', '--list-devices'].includes(word))) {
    return { kind: 'file' };
  }
  const batch = argv.some((word) => word === '-b' || word === '--batch-count');
  return { kind: 'images', count: batch ? Number(valueOf('-b', '--batch-count')) : 1 };
}

function outcomeOf(name: string): string {
  const goal = goalOf(recordedRun(name).argv);
  const record = recordOf(name);
  const failure = runFailure(record, { ...recording(name).end, memory: 'enough' }, goal);
  const isPartial = goal.kind === 'images' && (record.summary?.saved ?? 0) < goal.count;
  const lines = failure
    ? [
        `failed: ${failure.message}`,
        ...(failure.subject === undefined ? [] : [`about: ${failure.subject}`]),
        `next: ${failure.nextStep}`,
        ...(failure.remedy ? [`button: ${failure.remedy.kind}`] : [])
      ]
    : [isPartial ? `done in part: ${record.summary?.saved} of ${imagesOf(goal)}` : 'done'];
  const warnings = failure ? [] : record.warnings.map((warning) => `warning: ${warning}`);
  return [
    name,
    ...[...lines, ...warnings, `progress: ${progressOf(name).join(' · ')}`].map((line) => `  ${line}`)
  ].join('\n');
}

const kindOf = (text: string | undefined) => text?.replace(/(\d+\/\d+|\d+ %)$/, '');

/** The last of each kind of report, in order. */
function progressOf(name: string): string[] {
  const texts = reportsOf(name).map(briefText);
  return texts.filter((text, index) => kindOf(text) !== kindOf(texts[index + 1]));
}

function reportsOf(name: string): GenerationProgress[] {
  const reports: GenerationProgress[] = [];
  let now = 0;
  const ticker = { now: () => (now += 1000), after: () => () => undefined };
  const hires = name === 'txt2img-hires' ? { scale: 2, steps: 2 } : undefined;
  const images = Math.max(1, imagesOf(goalOf(recordedRun(name).argv)));
  const reporter = new ProgressReporter({ model: 'm', images, hires, onProgress: (one) => reports.push(one), ticker });
  for (const event of eventsOf(recording(name))) reporter.observe(event);
  return reports;
}

describe('all recordings of sd-cli', () => {
  it('come to what their golden file says: outcome, sentence, next step, warnings, progress', async () => {
    expect(NAMES).toHaveLength(174);
    await expect(`${NAMES.map(outcomeOf).join('\n\n')}\n`).toMatchFileSnapshot(OUTCOMES);
  });

  it.each(NAMES)('%s: its bar never goes back, and what is left never grows', (name) => {
    const reports = reportsOf(name);
    const fractions = reports.flatMap(({ fraction }) => fraction ?? []);
    expect(fractions).toEqual(fractions.toSorted((one, other) => one - other));
    expect(Math.max(0, ...fractions)).toBeLessThanOrEqual(1);
    const left = reports.flatMap(({ secondsLeft }) => secondsLeft ?? []);
    expect(left).toEqual(left.toSorted((one, other) => other - one));
  });

  it.each(NAMES)('%s: what is said of its failure is a sentence and something to do', (name) => {
    const failure = runFailure(
      recordOf(name),
      { ...recording(name).end, memory: 'enough' },
      goalOf(recordedRun(name).argv)
    );
    if (!failure) return;
    expect(failure).toMatchObject({
      code: 'engine-failed',
      message: expect.stringMatching(/^(sd-cli|[A-Z]).*\.$/),
      nextStep: expect.stringMatching(/^[A-Z].*\.$/)
    });
    const { cause } = failure;
    expect(cause instanceof Error && cause.message.split('\n').length).toBeLessThanOrEqual(21);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import type { EngineEvent } from '../../../server/engine/output';
import { ProgressReporter } from '../../../server/engine/progress';
import type { GenerationProgress } from '../../../shared/job-events';
import { eventsOf, recording } from './recordings';

/** A clock that stands still until it is moved. */
class HandClock {
  #now = 0;
  #due: { readonly at: number; readonly callback: () => void } | undefined;

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    expect(this.#due).toBeUndefined();
    this.#due = { at: this.#now + milliseconds, callback };
    return () => {
      this.#due = undefined;
    };
  }

  move(milliseconds: number): void {
    this.#now += milliseconds;
    if (!this.#due || this.#due.at > this.#now) return;
    const { callback } = this.#due;
    this.#due = undefined;
    callback();
  }
}

let clock: HandClock;
let reports: GenerationProgress[];
let reporter: ProgressReporter;

beforeEach(() => {
  clock = new HandClock();
  reports = [];
  reporter = new ProgressReporter({
    model: 'm',
    images: 2,
    onProgress: (report) => reports.push(report),
    ticker: clock
  });
});

const step = (done: number): EngineEvent => ({ type: 'bar', kind: 'steps', done, total: 50, secondsPerUnit: 0.5 });

describe('the progress of a run', () => {
  it('begins with a report', () => {
    expect(reports).toEqual([{ model: 'm', phase: 'starting', image: 1, images: 2 }]);
  });

  it('is reported ten times a second at most', () => {
    reporter.observe({ type: 'phase', phase: 'sampling' });
    for (let done = 1; done <= 50; done += 1) {
      reporter.observe(step(done));
      clock.move(10);
    }
    expect(reports.map((report) => report.step)).toEqual([undefined, 10, 20, 30, 40, 50]);
  });

  it('never loses the last report', () => {
    reporter.observe(step(1));
    reporter.observe(step(2));
    expect(reports).toHaveLength(1);
    clock.move(100);
    expect(reports.at(-1)).toMatchObject({ step: 2, steps: 50, secondsPerStep: 0.5 });
    reporter.observe(step(3));
    reporter.flush();
    expect(reports.at(-1)).toMatchObject({ step: 3 });
    clock.move(1000);
    expect(reports).toHaveLength(3);
  });

  it('reports nothing after it was stopped', () => {
    reporter.observe(step(1));
    reporter.stop();
    clock.move(1000);
    reporter.flush();
    expect(reports).toHaveLength(1);
  });

  it('is silent about what changes nothing', () => {
    clock.move(1000);
    reporter.observe({ type: 'log', level: 'info', text: 'something' });
    reporter.observe({ type: 'saved', index: 0, path: 'image.png', succeeded: true });
    expect(reports).toHaveLength(1);
  });

  it('shows loading while weights are read, and then the phase again', () => {
    const seen: string[] = [];
    for (const event of [
      { type: 'phase', phase: 'sampling' },
      { type: 'bar', kind: 'weights', done: 1, total: 9 },
      { type: 'bar', kind: 'weights', done: 9, total: 9 }
    ] as const) {
      clock.move(1000);
      reporter.observe(event);
      seen.push(reports.at(-1)!.phase);
    }
    expect(seen).toEqual(['sampling', 'loading', 'sampling']);
  });

  it('follows the images of a recorded batch', () => {
    const seen = new Set<string>();
    for (const event of eventsOf(recording('batch3-plain'))) {
      clock.move(1000);
      reporter.observe(event);
      const { phase, image, step: done = '-' } = reports.at(-1)!;
      seen.add(`${phase} ${image} ${done}`);
    }
    expect([...seen].filter((text) => text.startsWith('sampling'))).toEqual(
      [
        ['sampling 1 -', 'sampling 1 1', 'sampling 1 2', 'sampling 1 3'],
        ['sampling 2 -', 'sampling 2 1', 'sampling 2 2', 'sampling 2 3'],
        ['sampling 3 -', 'sampling 3 1', 'sampling 3 2', 'sampling 3 3']
      ].flat()
    );
  });
});

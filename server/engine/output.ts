import type { GenerationPhase } from '../../shared/job-events';
import { LineSplitter } from './lines';

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

/** What sd-cli tells while it runs, in the order of each stream. */
export type EngineEvent =
  /** A line of its log. */
  | { readonly type: 'log'; readonly level: LogLevel; readonly text: string }
  /** A line that is not of its log: usage, crash messages, continued lines. */
  | { readonly type: 'text'; readonly text: string }
  /** A progress bar: weights are counted in tensors, the others in steps and tiles. */
  | {
      readonly type: 'bar';
      readonly kind: 'weights' | 'steps' | 'tiles';
      readonly done: number;
      readonly total: number;
      /** Absent for weights, and as long as the rate rounds to zero. */
      readonly secondsPerUnit?: number;
    }
  | { readonly type: 'phase'; readonly phase: GenerationPhase }
  /** An image of the batch is begun; 1-based. */
  | { readonly type: 'image'; readonly image: number; readonly images: number; readonly seed: number }
  /** An image was written, or not; 0-based, as in the names of the files. */
  | { readonly type: 'saved'; readonly index: number; readonly path: string; readonly succeeded: boolean }
  | { readonly type: 'summary'; readonly saved: number; readonly images: number }
  /** What the engine takes the weights for, for example "SD 1.x". */
  | { readonly type: 'version'; readonly version: string }
  /** The true size of the images, in pixels. */
  | { readonly type: 'size'; readonly width: number; readonly height: number };

const LOG = /^\[(DEBUG|INFO |WARN |ERROR)\] [\w.-]+:\d+ +- (.*)$/;
const BAR = /^ {2}\|[#=> ]{50}\| (\d+)\/(\d+) - (\d+\.\d\d)(it\/s|s\/it|MB\/s|GB\/s)$/;

/** One message of sd-cli has no end of line, so the next line of the log is glued to it. */
const GLUED = /^(.+?)(\[ERROR\] [\w.-]+:\d+ +- .*)$/;

const LEVELS: Readonly<Record<string, LogLevel>> = {
  DEBUG: 'debug',
  'INFO ': 'info',
  'WARN ': 'warning',
  ERROR: 'error'
};

/** The lines after which another phase begins, for one image and for batches, with and without a second pass. */
const PHASES: readonly (readonly [RegExp, GenerationPhase])[] = [
  [/^loading (model|diffusion model) from /, 'loading'],
  [/^generate_image \d/, 'encoding'],
  [/^generating image: /, 'sampling'],
  [/^hires fix: upscaling /, 'sampling'],
  [/^(sampling completed|hires fix completed)/, 'decoding'],
  [/^decoding \d+ latents/, 'decoding'],
  [/^generate_image completed/, 'saving']
];

/** Facts that lines of the log carry. */
const FACTS: readonly (readonly [RegExp, (match: RegExpExecArray) => EngineEvent])[] = [
  [
    /^generating image: (\d+)\/(\d+) - seed (\d+)/,
    ([, image, images, seed]) => ({ type: 'image', image: Number(image), images: Number(images), seed: Number(seed) })
  ],
  [
    /^save result image (\d+) to '(.*)' \((success|failure)\)$/,
    ([, index, path = '', outcome]) => ({ type: 'saved', index: Number(index), path, succeeded: outcome === 'success' })
  ],
  [
    /^(\d+)\/(\d+) images saved$/,
    ([, saved, images]) => ({ type: 'summary', saved: Number(saved), images: Number(images) })
  ],
  [/^Version: (.+?) *$/, ([, version = '']) => ({ type: 'version', version })],
  [
    /^(?:generate_image|hires fix: upscaling to) (\d+)x(\d+)$/,
    ([, width, height]) => ({ type: 'size', width: Number(width), height: Number(height) })
  ]
];

/** Reads both streams of a running sd-cli (formats measured on build master-827-97d2990). */
export class EngineOutput {
  readonly #sink: (event: EngineEvent) => void;
  readonly #stdout = new LineSplitter((line) => this.#line(line));
  readonly #stderr = new LineSplitter((line) => this.#errorLine(line));
  #phase: GenerationPhase = 'starting';

  constructor(sink: (event: EngineEvent) => void) {
    this.#sink = sink;
  }

  writeOutput(chunk: Uint8Array): void {
    this.#stdout.write(chunk);
  }

  writeError(chunk: Uint8Array): void {
    this.#stderr.write(chunk);
  }

  /** To be called when both streams are over. */
  end(): void {
    this.#stdout.end();
    this.#stderr.end();
  }

  #errorLine(line: string): void {
    const [, message, next] = GLUED.exec(line) ?? [];
    if (message !== undefined && next !== undefined) {
      this.#line(message);
      this.#line(next);
    } else this.#line(line);
  }

  #line(line: string): void {
    const bar = this.#readBar(line);
    if (bar) {
      this.#sink(bar);
      return;
    }
    const [, tag, text] = LOG.exec(line) ?? [];
    const level = LEVELS[tag ?? ''];
    if (level === undefined || text === undefined) {
      this.#sink({ type: 'text', text: line });
      return;
    }
    this.#sink({ type: 'log', level, text });
    if (level === 'info') this.#readFacts(text);
  }

  #readFacts(text: string): void {
    const [, phase] = PHASES.find(([pattern]) => pattern.test(text)) ?? [];
    if (phase !== undefined && phase !== this.#phase) {
      this.#phase = phase;
      this.#sink({ type: 'phase', phase });
    }
    for (const [pattern, read] of FACTS) {
      const match = pattern.exec(text);
      if (match) this.#sink(read(match));
    }
  }

  #readBar(line: string): EngineEvent | undefined {
    const [, done, total, rate, unit] = BAR.exec(line) ?? [];
    if (unit === undefined) return undefined;
    const counts = { type: 'bar', done: Number(done), total: Number(total) } as const;
    if (unit === 'MB/s' || unit === 'GB/s') return { ...counts, kind: 'weights' };
    // Decoding and enlarging in tiles draw the very same bar.
    const kind = this.#phase === 'sampling' ? 'steps' : 'tiles';
    const secondsPerUnit = unit === 's/it' ? Number(rate) : 1 / Number(rate);
    return Number.isFinite(secondsPerUnit) ? { ...counts, kind, secondsPerUnit } : { ...counts, kind };
  }
}

import type { GenerationPhase, ModelPart } from '../../shared/job-events';
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
      /** Whose weights, as far as the phase tells. */
      readonly part?: ModelPart;
    }
  | { readonly type: 'phase'; readonly phase: GenerationPhase }
  /** An image of the batch is begun; 1-based. */
  | { readonly type: 'image'; readonly image: number; readonly images: number; readonly seed: number }
  /** The second pass of an image of the batch is begun; 1-based. */
  | { readonly type: 'second-pass'; readonly image: number }
  /** An image of the batch is decoded; 1-based. */
  | { readonly type: 'decoded'; readonly image: number }
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
  [/^decoding \d+ latents/, 'decoding'],
  [/^generate_image completed/, 'saving'],
  [/^upscaling from \(/, 'enlarging'],
  [/^input_image_tensor upscaled/, 'saving'],
  [/^streaming convert with /, 'converting']
];

/** The lines after which the weights of another part are read; `undefined`: nobody can tell which. */
const PARTS: readonly (readonly [RegExp, ModelPart | undefined])[] = [
  [/^generate_image \d/, 'text-encoder'],
  // Without an image to begin with, the text comes first.
  [/^IMG2IMG$/, 'image-encoder'],
  [/^encode_first_stage completed/, 'text-encoder'],
  [/^loading LoRA from /, 'lora'],
  [/^apply_loras completed/, 'text-encoder'],
  [/^get_learned_condition completed/, undefined],
  [/^generating image: 1\//, 'diffusion-model'],
  [/^decoding \d+ latents/, 'image-decoder'],
  [/^upscaling from \(/, 'upscale-model'],
  [/^streaming convert with /, undefined]
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
  [/^hires fix: upscaling to /, () => ({ type: 'second-pass', image: 1 })],
  [/^latent (\d+) decoded/, ([, image]) => ({ type: 'decoded', image: Number(image) })],
  [/^Version: (.+?) *$/, ([, version = '']) => ({ type: 'version', version })],
  [
    /^(?:generate_image|hires fix: upscaling to) (\d+)x(\d+)$/,
    ([, width, height]) => ({ type: 'size', width: Number(width), height: Number(height) })
  ],
  [
    /^upscaling from \(\d+ x \d+\) to \((\d+) x (\d+)\)$/,
    ([, width, height]) => ({ type: 'size', width: Number(width), height: Number(height) })
  ]
];

/** Images of a batch take their second passes one after the other, without a line of their own at the begin. */
const SECOND_PASS_DONE = /^hires sampling (\d+)\/(\d+) completed/;

/** Reads both streams of a running sd-cli (formats measured on build master-827-97d2990). */
export class EngineOutput {
  readonly #sink: (event: EngineEvent) => void;
  readonly #stdout = new LineSplitter((line) => this.#line(line));
  readonly #stderr = new LineSplitter((line) => this.#errorLine(line));
  #phase: GenerationPhase = 'starting';
  #part: ModelPart | undefined;

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
    for (const [pattern, part] of PARTS) if (pattern.test(text)) this.#part = part;
    const [, image, images] = SECOND_PASS_DONE.exec(text) ?? [];
    if (Number(image) < Number(images)) this.#sink({ type: 'second-pass', image: Number(image) + 1 });
    for (const [pattern, read] of FACTS) {
      const match = pattern.exec(text);
      if (match) this.#sink(read(match));
    }
  }

  /** After the diffusion model's weights, those that are read while sampling may be anybody's. */
  #takePart({ done, total }: { readonly done: number; readonly total: number }): { readonly part?: ModelPart } {
    const part = this.#part;
    if (part === 'diffusion-model' && done === total) this.#part = undefined;
    return part === undefined ? {} : { part };
  }

  #readBar(line: string): EngineEvent | undefined {
    const [, done, total, rate, unit] = BAR.exec(line) ?? [];
    if (unit === undefined) return undefined;
    const counts = { type: 'bar', done: Number(done), total: Number(total) } as const;
    if (unit === 'MB/s' || unit === 'GB/s') return { ...counts, kind: 'weights', ...this.#takePart(counts) };
    // Decoding and enlarging in tiles draw the very same bar.
    const kind = this.#phase === 'sampling' ? 'steps' : 'tiles';
    const secondsPerUnit = unit === 's/it' ? Number(rate) : 1 / Number(rate);
    return Number.isFinite(secondsPerUnit) ? { ...counts, kind, secondsPerUnit } : { ...counts, kind };
  }
}

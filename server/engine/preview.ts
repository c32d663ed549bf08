import { setTimeout as delay } from 'node:timers/promises';
import { withFile } from '../platform/durable-files';
import { systemTicker, type Ticker } from '../platform/throttle';
import type { EngineEvent } from './output';

/** How an image looks in the middle of its sampling. */
export interface PreviewFrame {
  /** A whole PNG file. */
  readonly png: Uint8Array;
  /** 1-based. */
  readonly image: number;
  readonly step: number;
  readonly steps: number;
}

/** A file that is larger is no preview: an eighth of the largest image takes less. */
const LARGEST_BYTES = 4 * 1024 * 1024;

/** How long frames are apart at least, in ms: an eye sees no more of an image that changes slowly. */
const INTERVAL_MS = 250;

/** How long to wait for a whole file, in ms: the engine rewrites it in place, which took 12 ms at the longest. */
const RETRY_MS = [2, 5, 20];

/** The eight bytes that every PNG begins with, and the chunk that every one ends with. */
const BEGIN = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const END = Buffer.from([0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]);

/**
 * The options that make the engine write previews: projections of an eighth of the size, which need no further model.
 * How often it does cannot be chosen: it ignores its own option for that.
 */
export function previewOptions(path: string): readonly string[] {
  return ['--preview', 'proj', '--preview-path', path];
}

/**
 * Reads the preview that the engine rewrites with every step. Frames are few, whole, and no two in a row are the same;
 * a preview that cannot be read is left out, for the next one comes soon.
 */
export class PreviewReader {
  readonly #path: string;
  readonly #onFrame: (frame: PreviewFrame) => void;
  readonly #ticker: Ticker;
  #lastAt = Number.NEGATIVE_INFINITY;
  #last: Buffer | undefined;
  #reading: Promise<void> | undefined;
  #isOver = false;
  #image = 1;

  constructor(path: string, onFrame: (frame: PreviewFrame) => void, ticker: Ticker = systemTicker) {
    this.#path = path;
    this.#onFrame = onFrame;
    this.#ticker = ticker;
  }

  /** Takes the next event. Right after a step's bar its preview was just written, and the next write is farthest away. */
  observe(event: EngineEvent): void {
    if (event.type === 'image' || event.type === 'second-pass') this.#image = event.image;
    else if (event.type === 'bar' && event.kind === 'steps') {
      this.#look({ image: this.#image, step: event.done, steps: event.total });
    }
  }

  /** Settles when nothing is being read. */
  async settled(): Promise<void> {
    await this.#reading;
  }

  /** Hands out nothing more, and settles when nothing is being read any more. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.settled();
  }

  #look(where: Omit<PreviewFrame, 'png'>): void {
    const now = this.#ticker.now();
    if (this.#isOver || this.#reading || now - this.#lastAt < INTERVAL_MS) return;
    this.#lastAt = now;
    this.#reading = this.#read(where).finally(() => {
      this.#reading = undefined;
    });
  }

  async #read(where: Omit<PreviewFrame, 'png'>): Promise<void> {
    for (const wait of [0, ...RETRY_MS]) {
      if (wait > 0) await delay(wait);
      const png = await wholePng(this.#path);
      if (this.#isOver) return;
      if (!png) continue;
      if (!this.#last?.equals(png)) this.#onFrame({ png, ...where });
      this.#last = png;
      return;
    }
  }
}

/** undefined for a file that is just being written, is too large, or cannot be read. */
async function wholePng(path: string): Promise<Buffer | undefined> {
  try {
    return await withFile(path, 'r', async (file) => {
      const { size } = await file.stat();
      if (size < BEGIN.length + END.length || size > LARGEST_BYTES) return undefined;
      const { bytesRead, buffer } = await file.read(Buffer.alloc(size), 0, size, 0);
      const bytes = buffer.subarray(0, bytesRead);
      const isWhole = bytes.subarray(0, BEGIN.length).equals(BEGIN) && bytes.subarray(-END.length).equals(END);
      return isWhole ? bytes : undefined;
    });
  } catch {
    return undefined;
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Stopped } from './stopped.mjs';

const DEFAULT_SPEED = 10;

/**
 * Seconds that the recorded machine (one CPU thread) needed, read off the recorded timelines:
 * 64x64 runs with a split model, and the 128x128, 512x512 and KL-decoder runs for the slopes.
 */
export const RECORDED_SECONDS = {
  open: 0.012,
  loadTick: 0.2,
  encodePrompt: 0.55,
  encodeImagePer64: 0.15,
  stepPer64: 0.022,
  decodeTinyPer64: 0.16,
  decodePer64: 0.05,
  save: 0.004
};

/** Keeps the recorded time, and lets real time pass at `speed` times the recorded pace (0: without waiting). */
export class Clock {
  /** Recorded seconds since the start. */
  now = 0;
  #speed;

  constructor(speed = DEFAULT_SPEED) {
    this.#speed = speed;
  }

  /** Lets `seconds` of recorded time pass. */
  async spend(seconds) {
    this.now += seconds;
    if (this.#speed > 0) await sleep((seconds * 1000) / this.#speed);
  }

  /** Text such as `0.20s` for the recorded time since `start`. */
  since(start) {
    return `${(this.now - start).toFixed(2)}s`;
  }
}

/** Reads `SD_CLI_STAND_IN_SPEED`; throws `Stopped` when it is not a number from 0 up. */
export function speedFrom(environment) {
  const text = environment.SD_CLI_STAND_IN_SPEED;
  if (text === undefined || text === '') return DEFAULT_SPEED;
  const speed = Number(text);
  if (!Number.isFinite(speed) || speed < 0) throw new Stopped(`SD_CLI_STAND_IN_SPEED is not a speed: ${text}`);
  return speed;
}

import { stat } from 'node:fs/promises';
import { Failure } from '../../../shared/failure';
import { stampKey } from '../../store/proof-log';
import { describeWeights, type WeightsDescription } from '../../weights/describe';
import { readWeights } from '../../weights/headers/read-weights';
import { isShardIndexName } from '../../weights/headers/shard-index';
import { isPickleName } from '../../weights/weights-name';

/** What reading a file's header came to. */
export type WeightsReading =
  | { readonly kind: 'read'; readonly description: WeightsDescription }
  | { readonly kind: 'refused'; readonly failure: Failure };

interface Remembered {
  readonly stamp: string;
  readonly reading: WeightsReading;
}

/** Readings that are remembered; the oldest goes first. */
const MOST_READINGS = 2000;

/** What files with weights say of themselves. A file that is as it was is not read again. */
export class WeightsLibrary {
  private readonly readings = new Map<string, Remembered>();

  /** Reads the header of a file, or remembers what it said. @param path absolute */
  async look(path: string): Promise<WeightsReading> {
    const stamp = await stampOf(path);
    const known = this.readings.get(path);
    if (stamp !== undefined && known?.stamp === stamp) return known.reading;
    this.readings.delete(path);
    const reading = await read(path);
    if (stamp !== undefined && isOfContent(reading)) this.remember(path, { stamp, reading });
    return reading;
  }

  private remember(path: string, reading: Remembered): void {
    this.readings.set(path, reading);
    const [oldest] = this.readings.keys();
    if (this.readings.size > MOST_READINGS && oldest !== undefined) this.readings.delete(oldest);
  }
}

/** Whether the file said so. One that could not be read may be read the next time, as it is. */
function isOfContent(reading: WeightsReading): boolean {
  return reading.kind === 'read' || reading.failure.code !== 'file-access';
}

/** What changes with the file; undefined of what cannot be looked at, and of an index, which stays while others change. */
async function stampOf(path: string): Promise<string | undefined> {
  if (isShardIndexName(path)) return undefined;
  try {
    return stampKey(await stat(path, { bigint: true }));
  } catch {
    return undefined;
  }
}

/** A file that is called a pickle may be one; whoever named it so was honest. */
async function read(path: string): Promise<WeightsReading> {
  try {
    const header = await readWeights(path, { pickles: isPickleName(path) ? 'named' : 'refused' });
    return { kind: 'read', description: describeWeights(header) };
  } catch (error) {
    if (error instanceof Failure) return { kind: 'refused', failure: error };
    throw error;
  }
}

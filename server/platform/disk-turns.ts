import { readFile, stat } from 'node:fs/promises';
import { cancelled } from '../../shared/failure';

/** Tells whether a disk turns, by its device number. */
export type RotationProbe = (device: number) => Promise<boolean>;

/** Gives the number of the device that a file lies on; throws system errors. */
export type DeviceProbe = (path: string) => Promise<number>;

/** Lets one reader at a time have a rotating disk, whose head would else travel between two files; others need no turns. */
export class DiskTurns {
  private readonly last = new Map<number, Promise<unknown>>();
  private readonly rotating = new Map<number, Promise<boolean>>();

  constructor(
    private readonly probe: RotationProbe = isRotating,
    private readonly deviceOf: DeviceProbe = async (path) => (await stat(path)).dev
  ) {}

  /**
   * Runs a job that reads a file, when it is its turn: the turns are in the order in which the files were found.
   * @throws what the job throws; `Failure('cancelled')` at once when the signal aborts before its turn
   */
  async take<T>(path: string, signal: AbortSignal | undefined, job: () => Promise<T>): Promise<T> {
    if (signal?.aborted) throw cancelled('Reading');
    const dev = await this.deviceOf(path);
    if (!(await this.isRotating(dev))) return job();
    const before = this.last.get(dev) ?? Promise.resolve();
    const turn = settled(before, signal).then(job);
    // Not what came of them, which would be kept for all turns to come.
    const over = Promise.allSettled([before, turn]).then(() => undefined);
    this.last.set(dev, over);
    return turn;
  }

  private isRotating(device: number): Promise<boolean> {
    const known = this.rotating.get(device);
    if (known) return known;
    const asked = this.probe(device);
    this.rotating.set(device, asked);
    return asked;
  }
}

/** Whether Linux says of a disk, or of the disk that a partition lies on, that it turns; false where nobody tells. */
export async function isRotating(device: number): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const numbers = `/sys/dev/block/${deviceNumbers(device)}`;
  for (const path of [`${numbers}/queue/rotational`, `${numbers}/../queue/rotational`]) {
    try {
      return (await readFile(path, 'utf8')).trim() === '1';
    } catch {
      // A partition has no queue of its own, and a volume that is no disk has none at all.
    }
  }
  return false;
}

/** As Linux packs them: 12 bits of the major number above 8 of the minor one, and what is left of both above those. */
export function deviceNumbers(device: number): string {
  const bits = BigInt(device);
  const major = ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n);
  const minor = (bits & 0xffn) | ((bits >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

/** Waits for something that never rejects. @throws Failure('cancelled') at once when the signal aborts */
function settled(waited: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(cancelled('Reading'));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    void waited.then(() => {
      signal?.removeEventListener('abort', abort);
      return resolve();
    });
  });
}

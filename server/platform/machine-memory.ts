import { readFile } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';

/** Main memory of this machine, or of the container that this process is kept in, in bytes. */
export interface MachineMemory {
  readonly total: number;
  /** What programs can still have; undefined where the system tells only of what nothing is kept in. */
  readonly available?: number;
  /** Room on the disk that the system moves memory to; undefined where it grows by itself. */
  readonly swap?: number;
}

/** Asks the system. Memory of graphics cards is not known. */
export async function machineMemory(): Promise<MachineMemory> {
  const total = Math.min(totalmem(), containerLimit());
  if (process.platform === 'darwin') return { total };
  const available = Math.min(freemem(), total);
  if (process.platform !== 'linux') return { total, available };
  const swap = await swapBytes();
  return { total, available, ...(swap !== undefined && { swap }) };
}

/** Without a limit the system says none, or more than any machine has. */
function containerLimit(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? limit : Number.POSITIVE_INFINITY;
}

async function swapBytes(): Promise<number | undefined> {
  try {
    const [, kibibytes] = /^SwapTotal:\s+(\d+) kB$/m.exec(await readFile('/proc/meminfo', 'utf8')) ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}

import { readFile } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';

/** The memory of this machine, in bytes. */
export interface MachineMemory {
  readonly total: number;
  /** What programs can get without others being paged out. */
  readonly available: number;
}

/** Asks for the memory of this machine; undefined where the platform does not tell what is available. */
export type MemoryProbe = () => Promise<MachineMemory | undefined>;

/** The machine's own. On macOS free memory says nothing: what caches hold is available too, and is not counted. */
export const probeMemory: MemoryProbe = async () => {
  switch (process.platform) {
    case 'linux':
      return memoryOf(await readFile('/proc/meminfo', 'utf8').catch(() => ''));
    case 'win32':
      return { total: totalmem(), available: freemem() };
    default:
      return undefined;
  }
};

/** @param text the content of /proc/meminfo */
function memoryOf(text: string): MachineMemory | undefined {
  const [total, available] = ['MemTotal', 'MemAvailable'].map((name) => {
    const [, kibibytes] = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text) ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  });
  return total !== undefined && available !== undefined ? { total, available } : undefined;
}

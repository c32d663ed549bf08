import { chmod } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Does something as a user to whom modes of files mean something: root may read everything. POSIX only. */
export async function withoutRights<T>(folder: string, work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  // Temporary folders are their owner's alone.
  await chmod(dirname(folder), 0o755);
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

import { open, stat } from 'node:fs/promises';
import { mayBeModelManifest, SNIFFED_BYTES } from '../../shared/manifest/candidate';

/** Whether the beginning of a file may belong to a model manifest; no more than that is read. */
export async function mayBeManifestFile(path: string): Promise<boolean> {
  try {
    // Opening a pipe waits for whoever writes to it.
    if (!(await stat(path)).isFile()) return false;
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFFED_BYTES), 0, SNIFFED_BYTES, 0);
      return mayBeModelManifest(buffer.toString('utf8', 0, bytesRead));
    } finally {
      await file.close();
    }
  } catch {
    // Gone or unreadable: then it is no manifest now.
    return false;
  }
}

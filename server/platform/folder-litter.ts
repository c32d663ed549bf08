import { basename } from 'node:path';

/**
 * What systems leave by themselves in folders that somebody looks at: `.DS_Store` and, on volumes without extended
 * attributes, `._` files on macOS; `Thumbs.db` and `desktop.ini` on Windows; `.directory` on KDE.
 */
const LITTER = /^(?:\.ds_store|\._.*|thumbs\.db|desktop\.ini|\.directory)$/i;

/** Whether a path names a file that nobody put there on purpose, and nobody misses. */
export function isFolderLitter(path: string): boolean {
  return LITTER.test(basename(path));
}

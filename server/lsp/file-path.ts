import { fileURLToPath } from 'node:url';

/** The absolute path of a `file:` URI; undefined for every other one, and for those that name no path of this machine. */
export function filePathOf(uri: string): string | undefined {
  try {
    return uri.startsWith('file:') ? fileURLToPath(uri) : undefined;
  } catch {
    return undefined;
  }
}

/** What tells one document from another: a path, whatever way its address is written; of others the address. */
export function placeOf(uri: string): string {
  return filePathOf(uri) ?? uri;
}

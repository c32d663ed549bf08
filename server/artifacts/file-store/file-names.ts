/**
 * The name of a segment's file or folder: its letters in lower case, with a `~` before those that are upper case, so
 * that keys which differ in case alone are different files everywhere.
 */
export function fileNameOf(segment: string): string {
  return segment.replace(/[A-Z]/g, (letter) => `~${letter.toLowerCase()}`);
}

/** The segment that a file or folder is named for; undefined for a name that no segment has. */
export function segmentOfFile(name: string): string | undefined {
  const segment = name.replace(/~([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return fileNameOf(segment) === name ? segment : undefined;
}

/** A document is a folder of its generations; no segment has this character. */
const DOCUMENT_MARK = '@';

/** The name of a document's folder. */
export function documentFolderOf(segment: string): string {
  return `${fileNameOf(segment)}${DOCUMENT_MARK}`;
}

/** The segment that a document's folder is named for; undefined for the folder of anything else. */
export function segmentOfDocument(folder: string): string | undefined {
  return folder.endsWith(DOCUMENT_MARK) ? segmentOfFile(folder.slice(0, -1)) : undefined;
}

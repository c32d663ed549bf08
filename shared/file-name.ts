/** Why a text cannot be a file name on every platform that we install on. */
export interface FileNameProblem {
  readonly kind: 'empty' | 'path' | 'character' | 'reserved' | 'trailing' | 'hidden' | 'long';
  /** A predicate that completes a sentence which begins with the name: "… contains a path separator". */
  readonly reason: string;
}

/** The longest file name in bytes that ext4, APFS and NTFS all take. */
const LONGEST_NAME_BYTES = 255;

/** Device names that Windows reserves with any extension; ¹²³ count as digits there. */
const DEVICE_NAME = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)/i;

/** Control characters, those that reorder or hide text on screen, line separators, and halves of surrogate pairs. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Most names are ASCII, where Unicode has nothing to fold. */
const BEYOND_ASCII = /[^\p{ASCII}]/u;

/** Names that the bundle needs for itself. */
const OURS = new Set(['manifest.json']);

/**
 * Checks a plain file name by the rules of Linux, Windows and macOS together, so that a manifest that would
 * break on one platform is refused on all.
 * @returns undefined when the name is safe
 */
export function fileNameProblem(name: string): FileNameProblem | undefined {
  if (name === '') return { kind: 'empty', reason: 'is empty' };
  if (/[/\\]/.test(name)) return { kind: 'path', reason: 'contains a path separator' };
  if (name === '.' || name === '..') return { kind: 'path', reason: 'names a folder' };
  if (hasInvisibleCharacter(name)) return { kind: 'character', reason: 'contains an invisible or control character' };
  if (/[<>:"|?*]/.test(name)) return { kind: 'character', reason: 'contains one of < > : " | ? *' };
  if (name.startsWith('.')) return { kind: 'hidden', reason: 'starts with a dot' };
  if (/[. ]$/.test(name)) return { kind: 'trailing', reason: 'ends with a dot or a space' };
  if (DEVICE_NAME.test(name)) return { kind: 'reserved', reason: 'is a device name on Windows' };
  if (OURS.has(collisionKey(name))) return { kind: 'reserved', reason: 'is the name of the installed manifest' };
  if (utf8Length(name) > LONGEST_NAME_BYTES) {
    return { kind: 'long', reason: `is longer than ${LONGEST_NAME_BYTES} bytes` };
  }
  return undefined;
}

/**
 * Checks a path inside a bundle: every segment is a safe file name, and `/` is the separator on every platform.
 * @returns undefined when the path is safe
 */
export function bundlePathProblem(path: string): FileNameProblem | undefined {
  const problems = path.split('/').map(fileNameProblem);
  return problems.find((problem) => problem !== undefined);
}

/** Whether a text has characters that nobody sees, or that show it in another order than it is read in. */
export function hasInvisibleCharacter(text: string): boolean {
  return INVISIBLE.test(text);
}

/** Writes something else for each character that nobody sees, or that shows text in another order than it is read in. */
export function replaceInvisible(text: string, written: (character: string) => string): string {
  return text.replaceAll(new RegExp(INVISIBLE, 'gu'), written);
}

/** A text from elsewhere as a screen may show it: without characters that move, hide or colour others. */
export function visibleText(text: string): string {
  return replaceInvisible(text, () => '\ufffd');
}

/**
 * Two names with the same key would be one file on some platform: case and Unicode normalisation fold there.
 * Upper case comes first because NTFS compares in upper case (`ς` and `σ` are one letter there).
 */
export function collisionKey(name: string): string {
  if (!BEYOND_ASCII.test(name)) return name.toLowerCase();
  return name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFC');
}

/** Two paths of one bundle that cannot both be there everywhere. */
export interface PathConflict {
  readonly path: string;
  readonly twin: string;
  /** `same`: some platform takes both for one file. `folder`: a folder of the first is the second, which is a file. */
  readonly kind: 'same' | 'folder';
}

/** The first two paths of a bundle that get into each other's way on some platform; undefined when there are none. */
export function pathConflict(paths: readonly string[]): PathConflict | undefined {
  const seen = new Map<string, string>();
  for (const path of paths) {
    const key = collisionKey(path);
    const twin = seen.get(key);
    if (twin !== undefined) return { path, twin, kind: 'same' };
    seen.set(key, path);
  }
  for (const path of paths) {
    const twin = parentsOf(path).flatMap((parent) => seen.get(collisionKey(parent)) ?? [])[0];
    if (twin !== undefined) return { path, twin, kind: 'folder' };
  }
  return undefined;
}

/** The folders that a path lies in, from the outermost. */
function parentsOf(path: string): string[] {
  const segments = path.split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'));
}

/** Bytes of a text in UTF-8; counted here because the browser's and Node's encoders are not typed in shared code. */
function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/**
 * The text rules of manifests as regular expressions (ECMAScript with the flag `u`), for the JSON schemas that other
 * editors read. They refuse nothing that the rules take; what they let pass is listed in docs/manifest-schemas.md.
 */

/** What nobody sees on a screen, as {@link hasInvisibleCharacter} knows it. */
const INVISIBLE = String.raw`\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}`;

/** Names that Windows keeps for devices, with any extension. Patterns of JSON schemas cannot ignore case. */
const DEVICE = `(?:${['con', 'prn', 'aux', 'nul'].map(anyCase).join('|')}|${anyCase('conin')}\\$|${anyCase('conout')}\\$|(?:${anyCase('com')}|${anyCase('lpt')})[0-9¹²³])`;

/** Stands where a plain file name begins: it is not hidden, no device, not ours, and does not lose its end on Windows. */
const NO_BAD_NAME = String.raw`(?!\.)(?!${DEVICE} *(?:[./]|$))(?!${anyCase('manifest.json')}(?:/|$))(?![^/]*[. ](?:/|$))`;

/** A plain file name of at most 255 characters; the rule counts bytes. */
const FILE_NAME = String.raw`${NO_BAD_NAME}[^/\\<>:"|?*${INVISIBLE}]{1,255}`;

/** A model's name. */
export const MODEL_NAME_PATTERN = `^${NO_BAD_NAME}[A-Za-z0-9._-]{1,128}$`;

/** The plain name of a file in a bundle. */
export const FILE_NAME_PATTERN = `^${FILE_NAME}$`;

/** The path of a file in a bundle. */
export const BUNDLE_PATH_PATTERN = `^${FILE_NAME}(?:/${FILE_NAME})*$`;

/** A SHA-256, read trimmed and without regard to case. */
export const DIGEST_PATTERN = String.raw`^\s*[0-9A-Fa-f]{64}\s*$`;

const PLACEHOLDER = `(?:${Array.from('0123456789abcdef', (digit) => `${anyCase(digit)}{64}`).join('|')})`;

/** A SHA-256 that is no placeholder of 64 equal digits. */
export const DECLARED_DIGEST_PATTERN = String.raw`^\s*(?!${PLACEHOLDER}\s*$)[0-9A-Fa-f]{64}\s*$`;

/** `https:` and `http:`; what makes a host is not for a regular expression to say. */
const WEB_ADDRESS = String.raw`${anyCase('http')}[Ss]?://(?![^/?#]*@)[^/?#\s\\${INVISIBLE}][^\s\\${INVISIBLE}]*`;

const HUB_NAME = String.raw`(?![^/@]*(?:--|\.\.))[A-Za-z0-9_](?:[A-Za-z0-9._\-]{0,94}[A-Za-z0-9_\-])?`;

/** A part of a path that is percent-decoded afterwards. */
const ENCODED_SEGMENT = String.raw`(?!\.{1,2}(?:/|$))(?:[^/%?#\\${INVISIBLE}]|%[0-9A-Fa-f]{2})+`;

const HUB_ADDRESS = `${anyCase('hf')}:(?!(?:datasets|spaces)/)${HUB_NAME}/${HUB_NAME}(?:@${ENCODED_SEGMENT})?(?:/${ENCODED_SEGMENT})+`;

const FILE_ADDRESS = String.raw`${anyCase('file')}:(?://${anyCase('localhost')}/|///|/(?!/))[^?#\s\\${INVISIBLE}]*[^/?#\s\\${INVISIBLE}]`;

const STORE_ADDRESS = String.raw`(?:${anyCase('s3')}|${anyCase('r2')})://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9](?:/(?!\.{1,2}(?:/|$))[^/\s\\${INVISIBLE}]+)+`;

const RELATIVE_PATH = String.raw`(?![/~])(?!(?:[\s\S]*/)?\.{1,2}$)[^:/\\${INVISIBLE}]+(?:/[^:/\\${INVISIBLE}]+)*`;

/** Where a file comes from. */
export const SOURCE_ADDRESS_PATTERN = String.raw`^(?!\s)(?![\s\S]*\s$)(?:${[WEB_ADDRESS, HUB_ADDRESS, FILE_ADDRESS, STORE_ADDRESS, RELATIVE_PATH].join('|')})$`;

/** A text as a pattern that takes every letter in upper and lower case. */
function anyCase(text: string): string {
  return text.replaceAll('.', '\\.').replaceAll(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`);
}

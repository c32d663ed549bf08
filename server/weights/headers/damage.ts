import { Failure } from '../../../shared/failure';
import { visibleText } from '../../../shared/file-name';

/** Where in a file something is wrong: an offset in bytes, or the name of a tensor or of a field. */
export type Place = { readonly offset: number } | { readonly name: string };

/**
 * The failure that every damaged header ends with.
 * @param path of the file
 * @param what completes "The header is damaged: …"
 */
export function damaged(path: string, what: string, place: Place): Failure {
  const where = 'offset' in place ? `at byte ${place.offset}` : `at ${quoted(place.name)}`;
  return new Failure('bad-weights', `The header is damaged: ${what} (${where}).`, {
    subject: path,
    nextStep: 'Fetch the file again; if it stays like this, ask whoever published it.'
  });
}

/** The failure of a file that holds less, or more, than its header says. */
export function wrongLength(path: string, actual: number, promised: number): Failure {
  const what = actual < promised ? 'The file is cut off' : 'Something was added to the file';
  return new Failure('bad-weights', `${what}: it has ${actual} bytes, and its header speaks of ${promised}.`, {
    subject: path,
    nextStep: 'Fetch the file again.'
  });
}

/** The failure of a file that is none that weights are kept in. @param what a sentence */
export function unsupported(path: string, what: string, nextStep: string): Failure {
  return new Failure('unsupported-weights', what, { subject: path, nextStep });
}

const LONGEST_SHOWN = 80;

/** A text out of a file as a sentence may show it: without characters that move or hide others, and not too long. */
export function quoted(text: string): string {
  const plain = visibleText(text.slice(0, LONGEST_SHOWN));
  return `“${plain}${text.length > LONGEST_SHOWN ? '…' : ''}”`;
}

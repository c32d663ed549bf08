import { createHash } from 'node:crypto';
import { Failure } from '../../shared/failure';

declare const key: unique symbol;

/**
 * The name of an object or document within a store: segments with `/` between them, each of letters, digits and
 * `. _ - %` only, none beginning or ending with a dot. Made only by {@link storeKey} and {@link parseStoreKey}.
 */
export type StoreKey = string & { readonly [key]: true };

/** A segment of our own, which no text of a user is ever written as: it begins with `_`. */
export interface ReservedSegment {
  readonly reserved: `_${string}`;
}

/** The longest segment. Even with each letter written as two it is a file name everywhere. */
const LONGEST_SEGMENT = 120;

/** The longest key in bytes; S3 takes 1,024, and a store's prefix comes before it. */
const LONGEST_KEY = 800;

/** So much of a long segment is kept for people; the rest is told apart by a digest. */
const KEPT_OF_LONG = 48;

const SEGMENT = /^(?!\.)[A-Za-z0-9._%-]+(?<!\.)$/;

/** Device names that Windows reserves with any extension. */
const DEVICE_NAME = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/**
 * Writes segments as a key. Different segments give different keys: what is no letter, digit, `.`, `_` or `-` is
 * percent-encoded, and so are a first `_`, dots at the ends, and the first letter of a name that Windows reserves; a
 * long segment ends with the digest of the whole.
 * @throws Failure for a segment that is empty, `.`, `..` or no valid text, and when the key is too long for S3
 */
export function storeKey(...segments: readonly (string | ReservedSegment)[]): StoreKey {
  return checked(segments.map(encode).join('/'), segments);
}

/** A key below another one. @throws Failure as {@link storeKey} */
export function keyBelow(parent: StoreKey, ...segments: readonly (string | ReservedSegment)[]): StoreKey {
  return checked([parent, ...segments.map(encode)].join('/'), segments);
}

/** Reads a key as a store lists it; undefined for a name that somebody else gave. */
export function parseStoreKey(text: string): StoreKey | undefined {
  return isStoreKey(text) ? text : undefined;
}

function isStoreKey(text: string): text is StoreKey {
  return text.length <= LONGEST_KEY && text.split('/').every((segment) => isSegment(segment));
}

/** A `%` stands before two digits, or before the digest of a long segment. */
function isSegment(segment: string): boolean {
  return segment.length <= LONGEST_SEGMENT && SEGMENT.test(segment) && !/%(?![0-9a-f]{2}|-)/.test(segment);
}

function checked(text: string, segments: readonly (string | ReservedSegment)[]): StoreKey {
  if (isStoreKey(text)) return text;
  throw refused(segments.map(textOf).join('/'), `is longer than ${LONGEST_KEY} bytes`);
}

function textOf(segment: string | ReservedSegment): string {
  return typeof segment === 'string' ? segment : segment.reserved;
}

function encode(segment: string | ReservedSegment): string {
  if (typeof segment !== 'string') return segment.reserved;
  if (segment === '') throw refused(segment, 'is empty');
  if (segment === '.' || segment === '..') throw refused(segment, 'names a folder');
  // A half of a surrogate pair has no bytes of its own.
  if (/\p{Cs}/u.test(segment)) throw refused(segment, 'is no valid text');
  const encoded = segment
    .replace(/[^A-Za-z0-9._-]+/g, percentEncoded)
    .replace(/^[._]|\.$/g, percentEncoded)
    .replace(DEVICE_NAME, (name) => `${percentEncoded(name.slice(0, 1))}${name.slice(1)}`);
  return encoded.length <= LONGEST_SEGMENT ? encoded : shortened(encoded);
}

/** `%-` occurs in no other segment. */
function shortened(encoded: string): string {
  const kept = encoded.slice(0, KEPT_OF_LONG).replace(/%[0-9a-f]?$/, '');
  return `${kept}%-${createHash('sha256').update(encoded).digest('hex')}`;
}

function percentEncoded(text: string): string {
  return [...Buffer.from(text, 'utf8')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

function refused(text: string, reason: string): Failure {
  return new Failure('wrong-usage', `“${text}” cannot be a name in a store: it ${reason}.`, {
    subject: text,
    nextStep: 'Choose another name.'
  });
}

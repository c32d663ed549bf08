/** What a file is by its first bytes; names and extensions say nothing about it. */
export type ImageKind = 'png' | 'jpeg' | 'webp' | 'bmp' | 'gif' | 'tiff' | 'heif' | 'jpeg-xl';

const MAGIC: readonly (readonly [kind: ImageKind, offset: number, bytes: string])[] = [
  ['png', 0, '\x89PNG\r\n\x1a\n'],
  ['jpeg', 0, '\xff\xd8\xff'],
  ['webp', 8, 'WEBP'],
  ['gif', 0, 'GIF8'],
  ['tiff', 0, 'II*\0'],
  ['tiff', 0, 'MM\0*'],
  ['tiff', 0, 'II+\0'],
  ['tiff', 0, 'MM\0+'],
  ['heif', 4, 'ftypavif'],
  ['heif', 4, 'ftypavis'],
  ['heif', 4, 'ftypheic'],
  ['heif', 4, 'ftypheix'],
  ['heif', 4, 'ftypmif1'],
  ['jpeg-xl', 0, '\xff\x0a'],
  ['jpeg-xl', 0, '\0\0\0\x0cJXL '],
  ['bmp', 0, 'BM']
];

/** Longer than every magic number and where it lies. */
const SNIFFED_BYTES = 16;

/** Tells an image by its magic number; undefined for everything else. */
export function imageKind(bytes: Uint8Array): ImageKind | undefined {
  const start = Buffer.from(bytes.subarray(0, SNIFFED_BYTES)).toString('latin1');
  return MAGIC.find(([, offset, magic]) => start.startsWith(magic, offset))?.[0];
}

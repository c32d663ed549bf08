/** What a file is instead of weights in a format that is read. */
export type ForeignFormat =
  | { readonly kind: 'pickle' }
  /** A ZIP archive of PyTorch, which holds a pickle. */
  | { readonly kind: 'torch-zip' }
  /** `what` completes "This is …". */
  | { readonly kind: 'other'; readonly what: string };

/** Bytes from the beginning of a file that tell what it is. */
export const SNIFFED_BYTES = 512;

const ZIP = 'PK\u0003\u0004';

/** Where a ZIP archive has the length of its first file's name, and the name. */
const ZIP_NAME_LENGTH_AT = 26;
const ZIP_NAME_AT = 30;

const beginsWith =
  (prefix: string) =>
  (text: string): boolean =>
    text.startsWith(prefix);

const OTHERS: readonly (readonly [isIt: (text: string) => boolean, what: string])[] = [
  [
    (text) => /^\s*<(!doctype|html|\?xml|head|body)/i.test(text),
    'a web page and no model: the address needs a login, or leads elsewhere'
  ],
  [beginsWith('version https://git-lfs'), 'a pointer of Git LFS and not the file that it stands for'],
  [beginsWith('7z\u00bc\u00af\u0027\u001c'), 'a 7z archive'],
  [beginsWith('\u001f\u008b'), 'a compressed file'],
  [beginsWith(ZIP), 'a ZIP archive'],
  [(text) => text.replaceAll('\0', '') === '', 'a file of zeros, as downloads leave that were never finished']
];

/** Tells what a file is by its first bytes; whatever it is called. */
export function foreignFormat(start: Buffer): ForeignFormat {
  if (start.length === 0) return { kind: 'other', what: 'an empty file' };
  const [first, protocol = 0] = start;
  // Every protocol since the second begins with its number; older ones are indistinguishable from text.
  if (first === 0x80 && protocol >= 2 && protocol <= 5) return { kind: 'pickle' };
  const text = start.toString('latin1');
  if (text.startsWith(ZIP) && isPickleName(firstNameInZip(start))) return { kind: 'torch-zip' };
  const known = OTHERS.find(([isIt]) => isIt(text));
  return { kind: 'other', what: known?.[1] ?? 'no file of a format that weights are kept in' };
}

function firstNameInZip(start: Buffer): string {
  if (start.length < ZIP_NAME_AT) return '';
  return start.toString('latin1', ZIP_NAME_AT, ZIP_NAME_AT + start.readUInt16LE(ZIP_NAME_LENGTH_AT));
}

function isPickleName(name: string): boolean {
  return /(^|\/)(data|constants)\.pkl$/.test(name);
}

import type { ByteSource } from './byte-source';
import { damaged, quoted } from './damage';
import { HeaderWindow } from './header-window';
import { CLOSE_LIST, CLOSE_OBJECT, COLON, COMMA, JsonText, knownWords, OPEN_LIST, OPEN_OBJECT } from './json-text';
import { LONGEST_HEADER, LONGEST_KEPT_TEXT, MOST_DIMENSIONS } from './limits';
import { NameSet } from './name-set';
import { METADATA, PlainTensors } from './plain-tensors';
import { checkPlacement, elementsOf, type Tensor, TensorList } from './tensor';

/** What the header of a safetensors file says. */
export interface SafetensorsHeader {
  readonly format: 'safetensors';
  readonly tensors: readonly Tensor[];
  /** What the publisher wrote about the file: hints, not facts. Long texts are left out. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Bytes before the data. */
  readonly headerBytes: number;
}

/** Bits of one value, by the names that the format has for types. */
const BITS: ReadonlyMap<string, number> = new Map([
  ['BOOL', 8],
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['U8', 8],
  ['I8', 8],
  ['F8_E5M2', 8],
  ['F8_E4M3', 8],
  ['F8_E8M0', 8],
  ['F8_E4M3FNUZ', 8],
  ['F8_E5M2FNUZ', 8],
  ['I16', 16],
  ['U16', 16],
  ['F16', 16],
  ['BF16', 16],
  ['I32', 32],
  ['U32', 32],
  ['F32', 32],
  ['C64', 64],
  ['F64', 64],
  ['I64', 64],
  ['U64', 64]
]);

const FIELDS = knownWords(['dtype', 'shape', 'data_offsets']);

const TYPES = knownWords([...BITS.keys()]);

const VALUES = TYPES.map((type) => ({ type, bits: BITS.get(type.word) ?? 0 }));

/** Bytes of the number that a file begins with: the length of the header. */
const LENGTH_BYTES = 8;

/** The longest name of a tensor or of a pair of metadata, in bytes. */
const LONGEST_NAME = 4096;

/** The longest name of a field or a type. */
const LONGEST_WORD = 32;

/** Whether the first bytes of a file are those of a safetensors file, whatever is wrong with it. */
export function beginsAsSafetensors(start: Buffer): boolean {
  return start[LENGTH_BYTES] === OPEN_OBJECT;
}

/** Reads the header of a safetensors file, of whose data nothing. @throws Failure('bad-weights') */
export async function readSafetensors(source: ByteSource): Promise<SafetensorsHeader> {
  const { path, size } = source;
  const start = LENGTH_BYTES + (await headerLength(source));
  const window = new HeaderWindow(source, LENGTH_BYTES, start);
  const json = new JsonText(window);
  const readers = { window, json, plain: new PlainTensors(window, VALUES, LONGEST_NAME) };
  const list = new TensorList(path);
  let metadata: ReadonlyMap<string, string> | undefined;
  let more = await window.whole(() => json.opens(OPEN_OBJECT, CLOSE_OBJECT));
  while (more && (await window.whole(() => readTensors(readers, list)))) {
    if (metadata) throw window.damage('the metadata is there twice');
    metadata = await readMetadata(json, window);
    more = await window.whole(() => json.hasMore(CLOSE_OBJECT));
  }
  await requireNothingBehind(window);
  checkPlacement(list.tensors, { path, fileSize: size, start, alignment: 1 });
  return { format: 'safetensors', tensors: list.tensors, metadata: metadata ?? new Map(), headerBytes: start };
}

async function headerLength(source: ByteSource): Promise<number> {
  const { path, size } = source;
  const bytes = Buffer.alloc(LENGTH_BYTES);
  const length = (await source.read(bytes, 0)) === LENGTH_BYTES ? bytes.readBigUInt64LE() : 0n;
  if (length > LONGEST_HEADER) {
    throw damaged(path, `it would have ${length} bytes, and ${LONGEST_HEADER} are the most`, { offset: 0 });
  }
  if (LENGTH_BYTES + Number(length) > size) {
    throw damaged(path, `it would have ${length} bytes, and the file has ${size} in all`, { offset: 0 });
  }
  return Number(length);
}

/** Shorter headers are padded with spaces. */
async function requireNothingBehind(window: HeaderWindow): Promise<void> {
  while (window.offset < window.limit) {
    await window.whole(() => {
      if (window.bytes[window.take(1)] !== 0x20) throw window.damage('something follows its end');
      while (window.at < window.end && window.bytes[window.at] === 0x20) window.at += 1;
    });
  }
}

async function readMetadata(json: JsonText, window: HeaderWindow): Promise<ReadonlyMap<string, string>> {
  const metadata = new Map<string, string>();
  const names = new NameSet();
  let more = await window.whole(() => json.opens(OPEN_OBJECT, CLOSE_OBJECT));
  while (more) {
    const name = await window.whole(() => json.key(LONGEST_NAME));
    if (!names.add(name)) throw window.damage('metadata is there twice, or there is too much of it');
    const value = await json.textUpTo(LONGEST_KEPT_TEXT);
    if (value !== undefined) metadata.set(name, value);
    more = await window.whole(() => json.hasMore(CLOSE_OBJECT));
  }
  return metadata;
}

/** Two readers of one window: one for all that the format allows, and a quicker one for most of it. */
interface Readers {
  readonly window: HeaderWindow;
  readonly json: JsonText;
  readonly plain: PlainTensors;
}

/** Reads as far as there are tensors. @returns whether that is up to the metadata, and not to the end */
function readTensors({ json, plain, window }: Readers, list: TensorList): boolean {
  for (;;) {
    let tensor = plain.next();
    if (!tensor) {
      const name = json.key(LONGEST_NAME);
      if (name === METADATA) return true;
      tensor = readTensor(json, name, window);
    }
    const more = json.hasMore(CLOSE_OBJECT);
    list.add(tensor);
    window.mark();
    if (!more) return false;
  }
}

function readTensor(json: JsonText, name: string, window: HeaderWindow): Tensor {
  const { path } = window;
  let dtype: string | undefined;
  let shape: readonly number[] | undefined;
  let from: number | undefined;
  let to = 0;
  let more = json.opens(OPEN_OBJECT, CLOSE_OBJECT);
  while (more) {
    const field = json.word(FIELDS) ?? json.text(LONGEST_WORD);
    json.expect(COLON);
    if (field === 'dtype' && dtype === undefined) {
      dtype = json.word(TYPES) ?? json.text(LONGEST_WORD);
    } else if (field === 'shape' && !shape) {
      shape = readShape(json, window);
    } else if (field === 'data_offsets' && from === undefined) {
      json.expect(OPEN_LIST);
      from = json.count();
      json.expect(COMMA);
      to = json.count();
      json.expect(CLOSE_LIST);
    } else {
      throw damaged(path, `a tensor has ${quoted(field)} twice, or where it means nothing`, { name });
    }
    more = json.hasMore(CLOSE_OBJECT);
  }
  if (dtype === undefined || !shape || from === undefined) {
    throw damaged(path, 'a tensor lacks its type, its shape or its place', { name });
  }
  const bits = BITS.get(dtype);
  if (bits === undefined) throw damaged(path, `a tensor has the unknown type ${quoted(dtype)}`, { name });
  const elements = elementsOf(path, name, shape);
  if (to - from !== (elements * bits) / 8) throw damaged(path, 'the place of a tensor has not its size', { name });
  return { name, dtype, shape, elements, bytes: to - from, offset: from };
}

function readShape(json: JsonText, window: HeaderWindow): number[] {
  const extents: number[] = [];
  let more = json.opens(OPEN_LIST, CLOSE_LIST);
  while (more) {
    if (extents.length === MOST_DIMENSIONS) throw window.damage('a tensor has too many dimensions');
    extents.push(json.count());
    more = json.hasMore(CLOSE_LIST);
  }
  // A list that grew keeps room for more, which adds up to megabytes.
  return extents.slice();
}

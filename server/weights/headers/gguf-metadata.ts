import { damaged } from './damage';
import type { GgufReader } from './gguf-reader';
import { LONGEST_KEPT_TEXT, MOST_PAIRS } from './limits';
import { NameSet } from './name-set';

const UINT32 = 4;
const BOOL = 7;
const TEXT = 8;
const LIST = 9;

/** Bytes of each type of value that has a fixed size, by its number. */
const VALUE_BYTES: ReadonlyMap<number, number> = new Map([
  [0, 1],
  [1, 1],
  [2, 2],
  [3, 2],
  [UINT32, 4],
  [5, 4],
  [6, 4],
  [BOOL, 1],
  [10, 8],
  [11, 8],
  [12, 8]
]);

/** The longest key that the engine takes, in bytes. */
const LONGEST_KEY = 4096;

/** Where tensors begin unless the metadata says otherwise. */
const USUAL_ALIGNMENT = 32;

/** What is taken from the metadata of a GGUF file. */
export interface GgufMetadata {
  /** The short texts. */
  readonly texts: ReadonlyMap<string, string>;
  /** Every tensor begins at a multiple of this. */
  readonly alignment: number;
}

/** Reads all pairs of the metadata; lists, such as a tokeniser's words, are passed over. @throws Failure */
export async function readGgufMetadata(reader: GgufReader, pairs: number): Promise<GgufMetadata> {
  const { window } = reader;
  if (pairs > MOST_PAIRS) throw window.damage(`it would have ${pairs} pairs of metadata`);
  const names = new NameSet();
  const texts = new Map<string, string>();
  let alignment = USUAL_ALIGNMENT;
  for (let index = 0; index < pairs; index += 1) {
    const { name, type } = await window.whole(() => ({ name: reader.text(LONGEST_KEY), type: reader.uint32() }));
    if (name === '') throw window.damage('a key is empty');
    if (!names.add(name)) throw damaged(window.path, 'metadata is there twice, or there is too much of it', { name });
    if (name === 'general.alignment') alignment = await readAlignment(reader, type);
    else if (type === LIST) await skipList(reader);
    else if (type === TEXT) await readText(reader, name, texts);
    else await window.whole(() => skipValue(reader, type));
  }
  return { texts, alignment };
}

async function readAlignment(reader: GgufReader, type: number): Promise<number> {
  const { window } = reader;
  const alignment = type === UINT32 ? await window.whole(() => reader.uint32()) : 0;
  // A power of two has one bit.
  if (alignment > 0 && Number.isInteger(Math.log2(alignment))) return alignment;
  throw damaged(window.path, `tensors cannot be aligned to ${alignment} bytes`, { name: 'general.alignment' });
}

async function readText(reader: GgufReader, name: string, texts: Map<string, string>): Promise<void> {
  const { window } = reader;
  const length = await window.whole(() => reader.count());
  if (length > LONGEST_KEPT_TEXT) {
    await window.whole(() => window.skip(length));
    return;
  }
  texts.set(name, await window.whole(() => reader.utf8(length)));
}

function skipValue(reader: GgufReader, type: number): void {
  const { window } = reader;
  const bytes = VALUE_BYTES.get(type);
  if (bytes === undefined) throw window.damage(`there is no type ${type} of values`);
  if (type !== BOOL) window.skip(bytes);
  else if (reader.byte() > 1) throw window.damage('a yes-or-no value is neither');
}

async function skipList(reader: GgufReader): Promise<void> {
  const { window } = reader;
  const { type, count } = await window.whole(() => ({ type: reader.uint32(), count: reader.count() }));
  if (type === TEXT) {
    let left = count;
    await window.whole(() => {
      while (left > 0) {
        window.skip(reader.count());
        left -= 1;
        window.mark();
      }
    });
    return;
  }
  const bytes = VALUE_BYTES.get(type);
  // Lists of lists are in the format, but no reader of the engine takes them.
  if (bytes === undefined) throw window.damage(`a list has values of type ${type}`);
  window.skip(bytes * count);
}

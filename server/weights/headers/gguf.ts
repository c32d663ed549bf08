import type { ByteSource } from './byte-source';
import { damaged, quoted, unsupported } from './damage';
import { GGML_TYPES } from './ggml-types';
import { readGgufMetadata } from './gguf-metadata';
import { GgufReader } from './gguf-reader';
import { HeaderWindow } from './header-window';
import { LONGEST_HEADER, MOST_TENSORS } from './limits';
import { aligned, checkPlacement, elementsOf, type Tensor, TensorList } from './tensor';

/** What the header of a GGUF file says. */
export interface GgufHeader {
  readonly format: 'gguf';
  readonly version: 2 | 3;
  readonly tensors: readonly Tensor[];
  /** What the publisher wrote about the file: hints, not facts. Long texts, numbers and lists are left out. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Bytes before the data. */
  readonly headerBytes: number;
}

/** What every GGUF file begins with. */
export const GGUF_MAGIC = 'GGUF';

/** The engine keeps four dimensions; it folds a fifth, which video models have, into the fourth. */
const MOST_GGUF_DIMENSIONS = 5;

/** The longest name of a tensor, in bytes. The engine takes 127, and other readers of the format 63. */
const LONGEST_NAME = 1024;

/** Reads the header of a GGUF file, of whose data nothing. @throws Failure('bad-weights'), 'unsupported-weights' */
export async function readGguf(source: ByteSource): Promise<GgufHeader> {
  const { path, size } = source;
  const window = new HeaderWindow(source, 0, Math.min(size, LONGEST_HEADER));
  const reader = new GgufReader(window);
  const version = await window.whole(() => {
    window.take(GGUF_MAGIC.length);
    return readVersion(path, reader.uint32());
  });
  const { tensorCount, pairs } = await window.whole(() => ({ tensorCount: reader.count(), pairs: reader.count() }));
  if (tensorCount > MOST_TENSORS) throw window.damage(`it would list ${tensorCount} tensors`);
  const { texts, alignment } = await readGgufMetadata(reader, pairs);
  const list = new TensorList(path);
  await window.whole(() => {
    while (list.tensors.length < tensorCount) {
      list.add(readTensor(reader, alignment));
      window.mark();
    }
  });
  const start = Math.min(aligned(window.offset, alignment), tensorCount === 0 ? size : Number.POSITIVE_INFINITY);
  checkPlacement(list.tensors, { path, fileSize: size, start, alignment });
  return { format: 'gguf', version, tensors: list.tensors, metadata: texts, headerBytes: start };
}

function readVersion(path: string, version: number): 2 | 3 {
  if (version === 2 || version === 3) return version;
  const next = 'Take a GGUF file of version 3.';
  if (version === 1) throw unsupported(path, 'This is a GGUF file of version 1, which nothing reads any more.', next);
  // The number of a file that was written the other way round has its one bit at the other end.
  if (version >= 2 ** 24 && version % 2 ** 24 === 0) {
    throw unsupported(path, 'This GGUF file was made for big-endian machines.', next);
  }
  throw unsupported(path, `This GGUF file has version ${version}, which nothing here reads.`, next);
}

function readTensor(reader: GgufReader, alignment: number): Tensor {
  const { window } = reader;
  const { path } = window;
  const name = reader.text(LONGEST_NAME);
  const dimensions = reader.uint32();
  if (dimensions > MOST_GGUF_DIMENSIONS) throw damaged(path, `a tensor has ${dimensions} dimensions`, { name });
  const innermostFirst = Array.from({ length: dimensions }, () => reader.count());
  const number = reader.uint32();
  const offset = reader.count();
  const type = GGML_TYPES.get(number);
  if (!type) throw damaged(path, `a tensor has the unknown type ${number}`, { name });
  if (innermostFirst.includes(0)) throw damaged(path, 'a tensor is empty', { name });
  const [row = 1] = innermostFirst;
  if (row % type.blockElements !== 0) {
    throw damaged(path, `a tensor has rows of ${row} values, which ${quoted(type.name)} cannot hold`, { name });
  }
  if (offset % alignment !== 0) throw damaged(path, `a tensor is not aligned to ${alignment} bytes`, { name });
  const shape = innermostFirst.toReversed();
  const elements = elementsOf(path, name, shape);
  const bytes = (elements / type.blockElements) * type.blockBytes;
  return { name, dtype: type.name, shape, elements, bytes, offset };
}

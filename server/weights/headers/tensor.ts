import { damaged, wrongLength } from './damage';
import { MOST_DIMENSIONS, MOST_NAME_BYTES, MOST_TENSORS } from './limits';
import { TensorNames } from './tensor-names';

/** One tensor as a header tells of it. */
export interface Tensor {
  readonly name: string;
  /** The type of its values, or of the blocks that they are quantised in, as the format names it. */
  readonly dtype: string;
  /** Outermost dimension first, whatever the file's order is. */
  readonly shape: readonly number[];
  readonly elements: number;
  readonly bytes: number;
  /** From the beginning of the data, in bytes. */
  readonly offset: number;
}

/** Collects the tensors of a file within the limits. */
export class TensorList {
  readonly tensors: Tensor[] = [];
  private readonly names = new TensorNames();
  private nameBytes = 0;

  constructor(private readonly path: string) {}

  /** @throws Failure for a name that was there before, and beyond the limits */
  add(tensor: Tensor): void {
    const { name } = tensor;
    if (!this.names.add(name)) throw damaged(this.path, 'two tensors have one name', { name });
    this.nameBytes += name.length;
    if (this.tensors.length === MOST_TENSORS || this.nameBytes > MOST_NAME_BYTES) {
      throw damaged(this.path, `it lists more than ${MOST_TENSORS} tensors, or names that are too long`, { name });
    }
    this.tensors.push(tensor);
  }
}

/** @throws Failure when there are too many dimensions, or more values than can be counted */
export function elementsOf(path: string, name: string, shape: readonly number[]): number {
  if (shape.length > MOST_DIMENSIONS) throw damaged(path, 'a tensor has too many dimensions', { name });
  let product = 1;
  for (const extent of shape) {
    product *= extent;
    if (!Number.isSafeInteger(product)) throw damaged(path, 'a tensor is too large', { name });
  }
  return product;
}

/** Where the data of a file lies. */
export interface DataPart {
  readonly path: string;
  /** Size of the file, in bytes. */
  readonly fileSize: number;
  /** Offset of the first byte of the data. */
  readonly start: number;
  /** Every tensor begins at a multiple of this; 1 where they follow each other without a gap. */
  readonly alignment: number;
}

/** Makes sure that the tensors fill the data: none outside, no two on the same bytes, nothing between. @throws Failure */
export function checkPlacement(tensors: readonly Tensor[], { path, fileSize, start, alignment }: DataPart): void {
  let expected = 0;
  let end = 0;
  for (const { name, offset, bytes } of inOrder(tensors)) {
    if (offset < expected) throw damaged(path, 'two tensors lie on the same bytes', { name });
    if (offset > expected) throw damaged(path, 'bytes before a tensor belong to none', { name });
    end = offset + bytes;
    expected = aligned(end, alignment);
  }
  const actual = fileSize - start;
  if (actual < end || actual > expected) throw wrongLength(path, fileSize, start + (actual < end ? end : expected));
}

/** The next multiple of an alignment. */
export function aligned(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

/** By where they lie; an empty tensor comes before the one that begins at its place. Most files list them so. */
function inOrder(tensors: readonly Tensor[]): readonly Tensor[] {
  const isSorted = tensors.every((tensor, index) => {
    const before = tensors[index - 1];
    return before === undefined || before.offset + before.bytes <= tensor.offset;
  });
  return isSorted ? tensors : tensors.toSorted((one, other) => one.offset - other.offset || one.bytes - other.bytes);
}

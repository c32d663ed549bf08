import { basename, dirname, join } from 'node:path';
import { type ByteSource, withFileSource } from './byte-source';
import { damaged, unsupported } from './damage';
import { foreignFormat, SNIFFED_BYTES } from './foreign-format';
import { GGUF_MAGIC, type GgufHeader, readGguf } from './gguf';
import { NameSet } from './name-set';
import { beginsAsSafetensors, readSafetensors, type SafetensorsHeader } from './safetensors';
import { isShardIndexName, readShardIndex } from './shard-index';
import { type Tensor, TensorList } from './tensor';

/** What the header of a file with weights says. */
export type WeightsHeader =
  | SafetensorsHeader
  | GgufHeader
  | ShardedHeader
  /** Nothing is read of a pickle: only running it tells what is in it. */
  | { readonly format: 'pickle' | 'torch-zip' };

/** What the headers of the files say that a model was cut into. */
export interface ShardedHeader {
  readonly format: 'safetensors-index';
  readonly tensors: readonly Tensor[];
  readonly metadata: ReadonlyMap<string, string>;
  /** Names of the files, which lie beside the index. */
  readonly shards: readonly string[];
}

export interface ReadWeightsOptions {
  /**
   * Pickles run code when they are read. `refused`: a failure. `named`: the format is told, for a model whose files
   * are said to be pickles.
   */
  readonly pickles: 'refused' | 'named';
}

/**
 * Reads what a file with weights says about itself: its header, never its data, whatever the file is called.
 * @param path of a file, or of the index of a model in several files
 * @throws Failure 'bad-weights', 'unsupported-weights', 'file-access'
 */
export async function readWeights(path: string, options: ReadWeightsOptions): Promise<WeightsHeader> {
  return withFileSource(path, (source) => (isShardIndexName(path) ? readSharded(source) : readHeader(source, options)));
}

/** As {@link readWeights}, of bytes that are no index. */
export async function readHeader(source: ByteSource, { pickles }: ReadWeightsOptions): Promise<WeightsHeader> {
  const start = await beginning(source);
  if (start.toString('latin1', 0, GGUF_MAGIC.length) === GGUF_MAGIC) return readGguf(source);
  if (beginsAsSafetensors(start)) return readSafetensors(source);
  const foreign = foreignFormat(start);
  if (foreign.kind === 'other') {
    throw unsupported(source.path, `This is ${foreign.what}.`, 'Weights are safetensors or GGUF files.');
  }
  if (pickles === 'named') return { format: foreign.kind };
  throw unsupported(
    source.path,
    `${basename(source.path)} is a pickle, which can run code on the machine that reads it.`,
    'Take the model as safetensors or GGUF.'
  );
}

async function beginning(source: ByteSource): Promise<Buffer> {
  const start = Buffer.alloc(SNIFFED_BYTES);
  return start.subarray(0, await source.read(start, 0));
}

async function readSharded(source: ByteSource): Promise<ShardedHeader> {
  const index = await readShardIndex(source);
  const list = new TensorList(source.path);
  const metadata = new Map<string, string>();
  const names = new NameSet();
  for (const [shard, expected] of index) {
    const header = await withFileSource(join(dirname(source.path), shard), readSafetensors);
    for (const tensor of header.tensors) list.add(tensor);
    for (const [name, value] of header.metadata) {
      // The files of a model mostly say the same.
      if (!metadata.has(name) && !names.add(name)) {
        throw damaged(source.path, 'the files have too much metadata together', { name });
      }
      metadata.set(name, value);
    }
    requireAll(source.path, expected, header);
  }
  return { format: 'safetensors-index', tensors: list.tensors, metadata, shards: [...index.keys()] };
}

function requireAll(path: string, expected: ReadonlySet<string>, { tensors }: SafetensorsHeader): void {
  const present = new Set(tensors.map(({ name }) => name));
  for (const name of expected) {
    if (!present.has(name)) throw damaged(path, 'a tensor is not in the file that the index names', { name });
  }
}

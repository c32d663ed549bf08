import { gguf } from '@huggingface/gguf';
import { parseSafetensorsMetadata } from '@huggingface/hub';

/** A tensor as other parsers tell of it: name, type, shape with the outermost dimension first. */
export type PeerTensor = readonly [name: string, dtype: string | number, shape: readonly number[]];

/** Answers ranges of a file as the hub would; the parser of the hub's client reads nothing else. */
function rangeServer(read: (from: number, to: number) => Promise<Buffer>, size: number): typeof fetch {
  return async (_, init) => {
    const range = new Headers(init?.headers).get('Range');
    const [, from = 0, to = size - 1] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '')?.map(Number) ?? [];
    const end = Math.min(to, size - 1);
    const headers = { 'Content-Range': `bytes ${from}-${end}/${size}`, ETag: '"a"', 'Content-Length': String(size) };
    const body = new Uint8Array(await read(from, end + 1));
    return new Response(body, { status: range === null ? 200 : 206, headers });
  };
}

/** Reads a safetensors header with the parser of the hub's JavaScript client. */
export async function hubParser(read: (from: number, to: number) => Promise<Buffer>, size: number) {
  const parsed = await parseSafetensorsMetadata({
    repo: 'owner/model',
    path: 'model.safetensors',
    fetch: rangeServer(read, size)
  });
  if (parsed.sharded) throw new Error('one file is no sharded model');
  const { __metadata__: metadata = {}, ...entries } = parsed.header;
  const tensors = Object.entries(entries).map(([name, info]): PeerTensor => {
    const { dtype, shape } = info as { dtype: string; shape: number[] };
    return [name, dtype, shape];
  });
  return { tensors, metadata };
}

/** Reads a GGUF header of a file with the hub's parser. */
export async function ggufParser(path: string) {
  const { tensorInfos, tensorDataOffset } = await gguf(path, { allowLocalFile: true });
  const tensors = tensorInfos.map(
    ({ name, dtype, shape }): PeerTensor => [name, dtype, shape.map(Number).toReversed()]
  );
  return { tensors, headerBytes: Number(tensorDataOffset) };
}

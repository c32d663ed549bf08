import type { ByteSource } from '../../../server/weights/headers/byte-source';

/** A file that begins with the given bytes and goes on with a hole up to its size. Counts what is read. */
export function memorySource(
  start: Uint8Array,
  size = start.length
): ByteSource & { readonly bytesRead: () => number } {
  let bytesRead = 0;
  return {
    path: 'model.bin',
    size,
    read(target, offset) {
      const count = Math.max(0, Math.min(target.length, size - offset));
      target.fill(0, 0, count);
      target.set(start.subarray(Math.min(offset, start.length), Math.min(offset + count, start.length)));
      bytesRead += count;
      return Promise.resolve(count);
    },
    bytesRead: () => bytesRead
  };
}

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Opens a file for header reading: a descriptor and the size in bytes. Undefined when it cannot be opened. */
export function openModelFile(path) {
  try {
    const descriptor = openSync(path, 'r');
    return { path, descriptor, bytes: fstatSync(descriptor).size };
  } catch {
    return undefined;
  }
}

/** Closes what `openModelFile` opened. */
export function closeModelFile(file) {
  closeSync(file.descriptor);
}

/** Reads up to `length` bytes at `offset`; fewer when the file ends before. */
export function readAt(file, offset, length) {
  const buffer = Buffer.alloc(Math.max(0, Math.min(length, file.bytes - offset)));
  let filled = 0;
  while (filled < buffer.length) {
    const got = readSync(file.descriptor, buffer, filled, buffer.length - filled, offset + filled);
    if (got === 0) break;
    filled += got;
  }
  return buffer.subarray(0, filled);
}

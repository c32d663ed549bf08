import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Failure } from '../../shared/failure';
import { fileFailure } from '../platform/system-error';
import type { Source } from './source';

/** A file on this machine. The copy is hashed like any transfer; the original is only read. */
export function fileSource(path: string): Source {
  return {
    label: path,
    identity: path,
    async open({ start, end, signal }) {
      try {
        const facts = await stat(path);
        const { size, mtimeMs, ino } = facts;
        if (!facts.isFile()) throw new Failure('file-access', 'The source is not a file.', { subject: path });
        const from = Math.min(start, size);
        return {
          start: from,
          total: size,
          // One reader is as fast as the disk.
          servesRanges: false,
          validator: `"${ino}-${size}-${mtimeMs}"`,
          endsByClosing: false,
          body: createReadStream(path, { start: from, end: (end ?? Infinity) - 1, signal, highWaterMark: 1024 * 1024 })
        };
      } catch (error) {
        throw unreadable(error, path);
      }
    },
    async probe() {
      try {
        return { bytes: (await stat(path)).size, isExact: true, digest: null };
      } catch (error) {
        throw unreadable(error, path);
      }
    }
  };
}

function unreadable(error: unknown, path: string): unknown {
  return fileFailure(error, 'The source file cannot be read.', path);
}

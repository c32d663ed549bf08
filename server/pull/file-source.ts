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
    async open({ offset, signal }) {
      try {
        const facts = await stat(path);
        const { size, mtimeMs, ino } = facts;
        if (!facts.isFile()) throw new Failure('file-access', 'The source is not a file.', { subject: path });
        return {
          offset: Math.min(offset, size),
          total: size,
          validator: `"${ino}-${size}-${mtimeMs}"`,
          endsByClosing: false,
          body: createReadStream(path, { start: Math.min(offset, size), signal, highWaterMark: 1024 * 1024 })
        };
      } catch (error) {
        throw fileFailure(error, 'The source file cannot be read.', path);
      }
    }
  };
}

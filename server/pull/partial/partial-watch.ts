import { open, stat } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { bootId } from '../../platform/process-identity';
import { isErrorWithCode } from '../../platform/system-error';
import { countBytes } from './byte-ranges';
import { JournalReader } from './journal';
import { journalPath } from './partial-folders';

/** Follows the journal of a partial that belongs to somebody else; only what was appended is read each time. */
export class PartialWatch {
  private reader = new JournalReader();
  /** What was appended may end within a character. */
  private decoder = new StringDecoder('utf8');
  private inode = -1;
  private position = 0;

  /** @param folder of the partial */
  constructor(private readonly folder: string) {}

  /** How many bytes the partial has by now; 0 when there is no telling. */
  async bytes(): Promise<number> {
    try {
      await this.readOn();
    } catch (error) {
      if (!isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) throw error;
      return 0;
    }
    return countBytes(this.reader.state(await bootId()).ranges);
  }

  private async readOn(): Promise<void> {
    const path = journalPath(this.folder);
    const { ino, size } = await stat(path);
    if (ino !== this.inode || size < this.position) {
      this.reader = new JournalReader();
      this.decoder = new StringDecoder('utf8');
      this.inode = ino;
      this.position = 0;
    }
    if (size === this.position) return;
    const journal = await open(path, 'r');
    try {
      const appended = Buffer.alloc(size - this.position);
      const { bytesRead } = await journal.read(appended, 0, appended.length, this.position);
      this.position += bytesRead;
      this.reader.feed(this.decoder.write(appended.subarray(0, bytesRead)));
    } finally {
      await journal.close();
    }
  }
}

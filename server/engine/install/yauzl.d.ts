/** What we use of yauzl. */
declare module 'yauzl' {
  import type { Readable } from 'node:stream';

  export interface Entry {
    /** With `/` between names; ends with one for a folder. */
    readonly fileName: string;
    readonly compressedSize: number;
    readonly uncompressedSize: number;
    readonly crc32: number;
    /** The upper half holds the mode of a Unix file. */
    readonly externalFileAttributes: number;
    isEncrypted(): boolean;
    /** Whether it is neither encrypted nor compressed in a way other than deflate. */
    canDecodeFileData(): boolean;
  }

  export interface ZipFile {
    readonly entryCount: number;
    eachEntry(): AsyncIterable<Entry>;
    openReadStreamPromise(entry: Entry): Promise<Readable>;
    close(): void;
  }

  export interface Options {
    /** Whether to close the file after the last entry was listed. */
    readonly autoClose?: boolean;
  }

  /** Sizes are checked while entries are read, and names before they are listed. */
  export function openPromise(path: string, options?: Options): Promise<ZipFile>;
}

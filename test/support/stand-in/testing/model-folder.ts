import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const SAMPLES = new URL('../../../../samples/files/', import.meta.url);
const HEADERS = new URL('../../../fixtures/sd-cli/models/', import.meta.url);

interface StoredHeader {
  readonly header: string;
  readonly bytes: number;
}

/**
 * Fills `folder` with the models of the recordings: the samples as they are, the others as their header followed by a
 * hole of the recorded length (the stand-in reads headers only).
 */
export function createModelFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(SAMPLES).filter((file) => file.endsWith('.gz'))) {
    writeFileSync(join(folder, basename(name, '.gz')), gunzipSync(readFileSync(new URL(name, SAMPLES))));
  }
  for (const [name, { header, bytes }] of storedHeaders()) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeHeaderWithHole(path, gunzipSync(readFileSync(new URL(header, HEADERS))), bytes);
  }
}

/** Writes `header` and lets the file end at `bytes`, without storing what lies between. */
function writeHeaderWithHole(path: string, header: Uint8Array, bytes: number): void {
  const file = openSync(path, 'w');
  try {
    writeSync(file, header.subarray(0, bytes));
    ftruncateSync(file, bytes);
  } finally {
    closeSync(file);
  }
}

function storedHeaders(): readonly [string, StoredHeader][] {
  return Object.entries(
    JSON.parse(readFileSync(new URL('manifest.json', HEADERS), 'utf8')) as Record<string, StoredHeader>
  );
}

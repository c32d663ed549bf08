import { describe, expect, it } from 'vitest';
import { newManifest } from '../../../server/manifest/new-manifest';

function namesFor(...paths: string[]): string[] {
  const files = paths.map((path) => ({ path, bytes: 1, url: path, sha256: undefined }));
  const { text } = newManifest({ name: 'new' }, files);
  return JSON.parse(text).files.map(({ filename }: { filename: string }) => filename);
}

describe('the file names of a new manifest', () => {
  it.each([
    [
      ['x/m.bin', 'y/m.bin', 'x-m.bin'],
      ['x-m-2.bin', 'y-m.bin', 'x-m.bin']
    ],
    [
      ['a/b-m.bin', 'a-b/m.bin', 'm.bin', 'c/b-m.bin'],
      ['a-b-m.bin', 'a-b-m-2.bin', 'm.bin', 'c-b-m.bin']
    ],
    [
      ['x/M.bin', 'y/m.bin', 'X-m.bin', 'x-m-2.bin'],
      ['x-M-3.bin', 'y-m.bin', 'X-m.bin', 'x-m-2.bin']
    ],
    [
      ['x/m', 'y/m', 'x-m'],
      ['x-m-2', 'y-m', 'x-m']
    ]
  ])('are each there once on every platform: %j', (paths, names) => {
    expect(namesFor(...paths)).toEqual(names);
  });
});

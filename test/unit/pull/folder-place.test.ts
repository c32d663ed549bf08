import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderPlace, type ScanBounds } from '../../../server/pull/local/folder-place';
import { digestOf } from '../../support/sample-bundle';
import { temporaryFolder } from '../../support/temporary-folder';

const DIGEST = digestOf(Buffer.from('abc'));
const signal = new AbortController().signal;

async function folderOf(...paths: string[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const path of paths) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), 'abc');
  }
  return folder;
}

/** Paths of the candidates for three bytes, and what was logged. */
async function look(folder: string, bounds?: ScanBounds, filename = 'w.gguf') {
  const logged: string[] = [];
  const warn = (text: string): void => void logged.push(text);
  const log = { info: warn, warn, error: warn };
  const place = folderPlace(folder, { log, except: [], ...(bounds && { bounds }) });
  const found = await place.candidates([{ digest: DIGEST, bytes: 3, filename }], signal);
  return { paths: (found.get(DIGEST) ?? []).map(({ path }) => path.slice(folder.length + 1)), logged };
}

describe('a folder to adopt from', () => {
  it('offers the file with the wanted name first', async () => {
    const folder = await folderOf('a.gguf', 'b.gguf', 'sub/W.gguf');
    expect((await look(folder)).paths).toEqual([join('sub', 'W.gguf'), 'a.gguf', 'b.gguf']);
  });

  it('is looked into as deep as agreed, and says when there was more', async () => {
    const folder = await folderOf('1/2/near.gguf', '1/2/3/far.gguf');
    const { paths, logged } = await look(folder, { depth: 2, entries: 100 });
    expect(paths).toEqual([join('1', '2', 'near.gguf')]);
    expect(logged).toEqual([expect.stringContaining('too deep')]);
  });

  it('is looked into up to a number of entries, and says when there were more', async () => {
    const folder = await folderOf('a', 'b', 'c', 'd');
    const { paths, logged } = await look(folder, { depth: 2, entries: 3 });
    expect(paths).toHaveLength(3);
    expect(logged).toEqual([expect.stringContaining('too many')]);
  });

  it('is left when the search is cancelled', async () => {
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const place = folderPlace(await folderOf('a'), { log, except: [] });
    await expect(
      place.candidates([{ digest: DIGEST, bytes: 3, filename: 'w' }], AbortSignal.abort())
    ).rejects.toMatchObject({ code: 'cancelled' });
  });
});

import { chmod, copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileSource } from '../../../server/pull/local/file-source';
import { PartialDownload } from '../../../server/pull/partial/partial-download';
import type { Source } from '../../../server/pull/source';
import { temporaryFolder } from '../../support/temporary-folder';

/** A file whose blocks can be shared, as far as a partial can see. */
async function clonableSource(): Promise<Source> {
  const path = join(await temporaryFolder(), 'original');
  await writeFile(path, 'twelve bytes');
  await chmod(path, 0o400);
  const clone = async (target: string) => {
    await copyFile(path, target);
    return { total: 12, validator: '"v"' };
  };
  return { ...fileSource(path), clone };
}

describe('a partial whose source can share its blocks', () => {
  it('is complete at once, writable, and resumed as complete by the next owner', async () => {
    const partials = await temporaryFolder();
    const partial = await PartialDownload.claim(partials, 'key', Date.now);
    expect(await partial.beginAsClone(await clonableSource())).toBe(true);
    expect(partial.isComplete).toBe(true);
    expect(await readFile(partial.dataPath, 'utf8')).toBe('twelve bytes');
    expect((await stat(partial.dataPath)).mode & 0o777).toBe(0o644);
    await partial.release();
    const next = await PartialDownload.claim(partials, 'key', Date.now);
    expect(next.isComplete).toBe(true);
    await next.remove();
  });

  it('begins nothing when blocks cannot be shared after all', async () => {
    const partials = await temporaryFolder();
    const partial = await PartialDownload.claim(partials, 'key', Date.now);
    const source = { ...(await clonableSource()), clone: async () => undefined };
    expect(await partial.beginAsClone(source)).toBe(false);
    expect(partial.content).toBeNull();
    await partial.remove();
  });
});

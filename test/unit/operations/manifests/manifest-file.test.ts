import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  loadSourceManifest,
  readManifestBeginning,
  readManifestText
} from '../../../../server/operations/manifests/manifest-file';
import { temporaryFolder } from '../../../support/temporary-folder';

/** A link called like a manifest. */
async function linkTo(target: string): Promise<string> {
  const path = join(await temporaryFolder(), 'manifest.json');
  await symlink(target, path);
  return path;
}

async function pipe(): Promise<string> {
  const path = join(await temporaryFolder(), 'pipe');
  await promisify(execFile)('mkfifo', [path]);
  return path;
}

async function folder(): Promise<string> {
  const path = join(await temporaryFolder(), 'folder');
  await mkdir(path);
  return path;
}

const READERS = { readManifestText, readManifestBeginning, loadSourceManifest };

describe.each(Object.entries(READERS))('%s', (_, read) => {
  it.runIf(process.platform !== 'win32').each([
    ['a pipe', pipe],
    ['a device', async () => '/dev/zero'],
    ['a folder', folder]
  ])('refuses a manifest that is a link to %s, and does not wait for its end', async (_what, target) => {
    await expect(read(await linkTo(await target()))).rejects.toMatchObject({
      code: 'file-access',
      message: expect.stringContaining('not a file')
    });
  });

  it('reads a manifest that is a link to a file', async () => {
    const target = join(await temporaryFolder(), 'target.json');
    await writeFile(target, '{ "name": "m", "files": [] }');
    const text = await read(await linkTo(target)).catch((error: unknown) => error);
    expect(text).not.toMatchObject({ code: 'file-access' });
  });
});

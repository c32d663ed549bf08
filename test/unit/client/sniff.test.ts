import { execFile } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { mayBeManifestFile } from '../../../client/manifests/sniff';
import { temporaryFolder } from '../../support/temporary-folder';

it.runIf(process.platform !== 'win32')(
  'takes a link to a file for a manifest, and does not wait for a pipe',
  async () => {
    const folder = await temporaryFolder();
    const [text, pipe] = [join(folder, 'text'), join(folder, 'pipe')];
    await writeFile(text, '{ "name": "m", "files": [{ "role": "model", "url": "a.gguf", "filename": "a.gguf" }] }');
    await promisify(execFile)('mkfifo', [pipe]);
    for (const target of [text, pipe]) await symlink(target, `${target}.manifest.json`);
    expect(await mayBeManifestFile(`${text}.manifest.json`)).toBe(true);
    expect(await mayBeManifestFile(`${pipe}.manifest.json`)).toBe(false);
  }
);

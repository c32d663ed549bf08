import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli, STAND_IN } from '../../support/run-cli';
import { sampleManifest } from '../../support/sample-services';
import { temporaryFolder } from '../../support/temporary-folder';

const environment = { DIFFUSION_DOCK_SD_CLI: STAND_IN };

it.skipIf(process.platform === 'win32')('a batch that stops says which words go on with it as it began', async () => {
  const [folder, home] = [await temporaryFolder(), await temporaryFolder()];
  const run = (...words: readonly string[]) => runCli(words, { home: folder, environment });
  expect((await run('pull', await sampleManifest(), '--home', home)).status).toBe(0);
  const [file, output] = [join(folder, 'job.json'), join(folder, 'out')];
  await writeFile(file, JSON.stringify({ models: ['tiny-sd1'], prompts: ['x'], seeds: [1], options: { steps: 1 } }));
  await writeFile(output, 'a file where the folder is to be');
  const stopped = await run('batch', file, '--time-limit', '5', '--output', output, '--home', home);
  expect(stopped.status).toBe(1);
  const [, words = ''] = /^It goes on with: diffusion-dock (.*)$/m.exec(stopped.err) ?? [];
  await rm(output);
  expect((await run(...words.split(' '))).status).toBe(0);
  expect(await readdir(output)).toEqual(['1-tiny-sd1-1.png']);
});

import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CacheLayout } from '../../../server/store/cache-layout';
import {
  CommandOfImage,
  FindRequest,
  Generate,
  GenerationNoticed,
  ListImages,
  ManifestsInView,
  PullModel,
  UpscaleImage
} from '../../../shared/protocol';
import { engineScript } from '../../support/engine-script';
import { STAND_IN } from '../../support/run-cli';
import { sampleManifest } from '../../support/sample-services';
import { createModelFolder } from '../../support/stand-in/testing/model-folder';
import { temporaryFolder } from '../../support/temporary-folder';
import { testConnection } from '../../support/test-connection';
import { untilGone, untilWritten } from '../../unit/engine/processes';
import { exifOfCamera, shownJpeg } from '../../unit/gallery/metadata-bytes';

const PHOTO = join(import.meta.dirname, '../../fixtures/sd-cli/images/in.jpg');

const fixture = (name: string) => join(import.meta.dirname, '../../fixtures/metadata/sd-cli', name);

it('what a run may lack of memory is told before it begins, and not once more with its result', async () => {
  // Whatever it is asked for, it makes a small image.
  const during = "for (const side of ['--width', '--height']) process.argv[process.argv.indexOf(side) + 1] = '64';";
  const server = await testConnection({ DIFFUSION_DOCK_SD_CLI: await engineScript({ during }) });
  await server.start();
  const { client } = server;
  await client.sendNotification(ManifestsInView, { uris: [pathToFileURL(await sampleManifest()).href] });
  await client.sendRequest(PullModel, { name: 'tiny-sd1' });
  const notices: unknown[] = [];
  client.onNotification(GenerationNoticed, (notice) => void notices.push(notice));
  const request = { prompt: 'a lighthouse', width: 8192, height: 8192, steps: 1 };
  const { images, warnings } = await client.sendRequest(Generate, { name: 'tiny-sd1', request });
  expect(notices).toEqual([
    { name: 'tiny-sd1', sentence: expect.stringMatching(/needs about .* of memory for 8192 × 8192 pixels/) }
  ]);
  expect([images.length, warnings]).toEqual([1, []]);
});

it('that an image to be enlarged is shown in another way is told before, and not once more with its result', async () => {
  const server = await testConnection({ DIFFUSION_DOCK_SD_CLI: STAND_IN });
  await server.start();
  const { client } = server;
  const folder = await temporaryFolder();
  createModelFolder(folder);
  const file = 'esrgan-x2.safetensors';
  const manifest = { name: 'enlarger', files: [{ role: 'upscale_model', url: file, filename: file }] };
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const path = join(folder, 'photo.jpg');
  await writeFile(path, shownJpeg(await readFile(PHOTO), exifOfCamera(6)));
  await client.sendNotification(ManifestsInView, { uris: [pathToFileURL(join(folder, 'manifest.json')).href] });
  await client.sendRequest(PullModel, { name: 'enlarger' });
  const notices: unknown[] = [];
  client.onNotification(GenerationNoticed, (notice) => void notices.push(notice));
  const { images, warnings } = await client.sendRequest(UpscaleImage, { name: 'enlarger', path });
  expect(notices).toEqual([
    { name: 'enlarger', sentence: expect.stringMatching(/^photo\.jpg says that it is to be shown turned by 90°/) }
  ]);
  expect([images, warnings]).toMatchObject([[{ width: 256, height: 256 }], []]);
});

it('a run ends with the server, and leaves neither an engine nor a folder', async () => {
  const note = join(await temporaryFolder(), 'pid');
  // It prints nothing, so that it does not end by itself for want of somebody who reads.
  const during = `require('node:fs').writeFileSync(${JSON.stringify(note)}, String(process.pid));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`;
  const server = await testConnection({ DIFFUSION_DOCK_SD_CLI: await engineScript({ during }) });
  await server.start();
  const { client } = server;
  await client.sendNotification(ManifestsInView, { uris: [pathToFileURL(await sampleManifest()).href] });
  await client.sendRequest(PullModel, { name: 'tiny-sd1' });
  const generating = client.sendRequest(Generate, { name: 'tiny-sd1', request: { prompt: 'a lighthouse' } });
  const ended = expect(generating).rejects.toMatchObject({ data: { code: 'cancelled' } });
  const pid = Number(await untilWritten(note));
  await client.sendRequest('shutdown');
  await ended;
  await untilGone(pid);
  expect(await readdir(new CacheLayout(server.root).scratch)).toEqual([]);
});

describe('an image', () => {
  it('of the gallery tells its whole request, wherever a copy of it lies, and a command line', async () => {
    const server = await testConnection({ DIFFUSION_DOCK_SD_CLI: STAND_IN });
    await server.start();
    const { client } = server;
    await client.sendNotification(ManifestsInView, { uris: [pathToFileURL(await sampleManifest()).href] });
    await client.sendRequest(PullModel, { name: 'tiny-sd1' });
    const request = { prompt: 'a lighthouse', seed: 7, steps: 2 };
    const { images } = await client.sendRequest(Generate, { name: 'tiny-sd1', request });
    expect(await client.sendRequest(ListImages)).toMatchObject([
      { path: images[0]!.path, label: 'a lighthouse', model: 'tiny-sd1', width: 128, height: 128 }
    ]);
    const copy = join(await temporaryFolder(), 'copy.png');
    await copyFile(images[0]!.path, copy);
    expect(await client.sendRequest(FindRequest, { path: copy })).toEqual({
      origin: 'Diffusion Dock',
      model: 'tiny-sd1',
      models: ['tiny-sd1'],
      leftOut: [],
      request: expect.objectContaining({ ...request, width: 128, sampling_method: 'euler_a' })
    });
    const command = await client.sendRequest(CommandOfImage, { path: copy, program: 'diffusion-dock', shell: 'posix' });
    expect(command).toMatch(/^diffusion-dock generate tiny-sd1 --prompt 'a lighthouse' --seed '?7'? /);
  });

  it('of another place tells what its file says, and has no command line', async () => {
    const server = await testConnection();
    await server.start();
    const { client } = server;
    const path = fixture('txt2img-jpg.jpg');
    expect(await client.sendRequest(FindRequest, { path })).toMatchObject({
      origin: 'stable-diffusion.cpp',
      request: { prompt: 'a red lighthouse, oil painting', seed: 42 }
    });
    const command = client.sendRequest(CommandOfImage, { path, program: 'sd-cli', shell: 'posix' });
    await expect(command).rejects.toMatchObject({ data: { code: 'image-missing' } });
  });
});

import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, unlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256OfFile } from '../../../scripts/model-server.mjs';
import { expandSamples, readSampleModels, sampleManifestsFor } from '../../../scripts/samples.mjs';
import { sourceManifest } from '../../../shared/manifest/source-manifest';

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'samples-'));
  await expandSamples(folder);
});

afterAll(() => rmSync(folder, { recursive: true }));

const readManifest = (file: string) => sourceManifest.parse(JSON.parse(readFileSync(file, 'utf8')));

describe('the sample models', () => {
  it('have valid manifests whose digests and sizes are those of the expanded files', async () => {
    const models = await readSampleModels();
    expect(models.map(({ name }) => name)).toEqual(['tiny-sd1', 'tiny-sdxs']);
    for (const { manifest } of models) {
      for (const { filename, sha256, size_bytes } of readManifest(manifest).files) {
        const file = path.join(folder, filename);
        expect({ filename, sha256: await sha256OfFile(file), size_bytes: statSync(file).size }).toEqual({
          filename,
          sha256,
          size_bytes
        });
      }
    }
  });

  it('are expanded once, and again only where they are missing or damaged', async () => {
    expect(await expandSamples(folder)).toEqual({ files: 4, bytes: 45_505_943, expanded: 0 });
    truncateSync(path.join(folder, 'taesd.safetensors'), 1000);
    unlinkSync(path.join(folder, 'unet-sd1.safetensors'));
    expect(await expandSamples(folder)).toMatchObject({ expanded: 2 });
    expect(statSync(path.join(folder, 'taesd.safetensors')).size).toBe(2_458_511);
  });

  it('are pulled by the manifests of the repository when they are served where these say', async () => {
    const copies = path.join(folder, 'manifests');
    expect(await sampleManifestsFor('http://127.0.0.1:47800', copies)).toEqual(await readSampleModels());
  });

  it('are pulled by copies that name the true origin when they are served elsewhere', async () => {
    const models = await sampleManifestsFor('http://127.0.0.1:5000', path.join(folder, 'manifests'));
    for (const { manifest } of models) {
      for (const { url, filename } of readManifest(manifest).files) {
        expect(url).toBe(`http://127.0.0.1:5000/${filename}`);
      }
    }
  });
});

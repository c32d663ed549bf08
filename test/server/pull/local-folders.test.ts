import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dropModel } from '../../../server/operations/models/drop-model';
import { findModel } from '../../../server/operations/models/known-models';
import { listModels } from '../../../server/operations/models/list-models';
import { pullModel } from '../../../server/operations/pull/pull-model';
import { verifyModel } from '../../../server/operations/verify-and-heal/verify-model';
import { runCli } from '../../support/run-cli';
import { snapshot } from '../../support/sample-bundle';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

const WEIGHTS = sampleBytes(3000);
const VAE = sampleBytes(2000, 2);
const UNREACHABLE = 'http://127.0.0.1:9';

async function folderOf(files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

/** A manifest whose addresses nobody answers. */
function offlineManifest(): Promise<string> {
  return writeManifest([
    { url: `${UNREACHABLE}/w`, sha256: sha256(WEIGHTS), size_bytes: WEIGHTS.length },
    { url: `${UNREACHABLE}/v`, filename: 'vae.safetensors', role: 'vae', sha256: sha256(VAE) }
  ]);
}

async function pullFrom(argument: string, folder: string, home?: string, ...more: string[]) {
  const root = home ?? (await temporaryFolder());
  return { root, ...(await runCli(['pull', argument, '--from', folder, ...more], { home: root })) };
}

const signal = new AbortController().signal;

describe('a relative address in a manifest', () => {
  it('means the file beside the manifest, also when the model is pulled by its name later', async () => {
    const manifest = await writeManifest([{ url: 'files/w.gguf', sha256: sha256(WEIGHTS) }]);
    await mkdir(join(dirname(manifest), 'files'));
    await writeFile(join(dirname(manifest), 'files', 'w.gguf'), WEIGHTS);
    const before = await snapshot(dirname(manifest));
    const services = await testServices();
    const { events, folder } = await pullManifest(services, manifest);
    expect(events).toContainEqual(expect.objectContaining({ type: 'file_completed', origin: 'adopted' }));
    expect(events.at(-1)).toMatchObject({ type: 'completed', transferredBytes: 0 });
    expect(await snapshot(dirname(manifest))).toEqual(before);
    const model = await findModel(services, 'test-model');
    await dropModel(services, model);
    await pullModel(services, model, { signal, onEvent: () => undefined });
    expect(await readFile(join(folder, 'weights.gguf'))).toEqual(WEIGHTS);
  });

  it('fetches nothing in an untrusted workspace', async () => {
    const manifest = await writeManifest([{ url: 'w.gguf' }]);
    await writeFile(join(dirname(manifest), 'w.gguf'), WEIGHTS);
    const services = await testServices({ isTrusted: () => false });
    await expect(pullManifest(services, manifest)).rejects.toMatchObject({ code: 'untrusted-workspace' });
  });
});

describe('the files of a manifest from a folder', () => {
  it('are found at any depth, checked, and copied without the network', async () => {
    const folder = await folderOf({ 'weights.gguf': WEIGHTS, 'a/b/vae.safetensors': VAE, 'other.bin': 'x' });
    const before = await snapshot(folder);
    const { root, status, err } = await pullFrom(await offlineManifest(), folder);
    expect({ status, copies: err.match(/copied from this machine/g) }).toMatchObject({ status: 0, copies: [{}, {}] });
    expect(await readFile(join(root, 'models', 'test-model', 'vae.safetensors'))).toEqual(VAE);
    expect(await snapshot(folder)).toEqual(before);
    const { ino } = await stat(join(folder, 'weights.gguf'));
    expect((await stat(join(root, 'models', 'test-model', 'weights.gguf'))).ino).not.toBe(ino);
  });

  it('are those of a model that is known by its name', async () => {
    const folder = await folderOf({ 'weights.gguf': WEIGHTS, 'vae.safetensors': VAE });
    const { root } = await pullFrom(await offlineManifest(), folder);
    await rm(join(root, 'models', 'test-model'), { recursive: true });
    expect(await pullFrom('test-model', folder, root)).toMatchObject({ status: 0 });
  });

  it('are planned as copies', async () => {
    const folder = await folderOf({ 'weights.gguf': WEIGHTS, 'vae.safetensors': VAE });
    const { out } = await pullFrom(await offlineManifest(), folder, undefined, '--dry-run', '--json');
    expect(JSON.parse(out)).toMatchObject({ missingBytes: 0, files: [{ presence: 'local' }, { presence: 'local' }] });
  });

  it.each([
    ['is missing', { 'weights.gguf': WEIGHTS }, /no file named vae\.safetensors/],
    [
      'is there twice',
      { 'weights.gguf': WEIGHTS, 'a/vae.safetensors': VAE, 'b/vae.safetensors': VAE },
      /a\/vae.*b\/vae/
    ],
    ['has another size', { 'weights.gguf': 'x', 'vae.safetensors': VAE }, /has 1 bytes, the manifest says 3000/],
    ['has another content', { 'weights.gguf': WEIGHTS, 'vae.safetensors': WEIGHTS }, /does not have the content/]
  ])('fail when one %s, which is named', async (_, files, message) => {
    const { root, status, err } = await pullFrom(await offlineManifest(), await folderOf(files));
    expect({ status, err }).toMatchObject({ status: 1, err: expect.stringMatching(message) });
    await expect(readdir(join(root, 'models'))).rejects.toThrow('ENOENT');
  });
});

describe('a folder without a manifest', () => {
  it('becomes a model under a new name, with its sub-folders, without what is hidden', async () => {
    const folder = await folderOf({
      'z.gguf': WEIGHTS,
      'text_encoder/model.safetensors': VAE,
      'text_encoder/manifest.json': '{}',
      'text_encoder/.git/config': 'x',
      '.hidden': 'x',
      'manifest.json': '{}'
    });
    await symlink(join(folder, 'z.gguf'), join(folder, 'text_encoder', 'inside.gguf'));
    await symlink(await folderOf({ 'secret.bin': 'x' }), join(folder, 'outside'));
    await symlink('/etc/hostname', join(folder, 'hostname'));
    const before = await snapshot(folder);
    const { root, status } = await pullFrom('my-model', folder);
    expect(status).toBe(0);
    expect(await snapshot(folder)).toEqual(before);
    const manifest = JSON.parse(await readFile(join(root, 'models', 'my-model', 'manifest.json'), 'utf8'));
    expect(manifest.files).toEqual([
      { path: 'text_encoder/inside.gguf', sha256: sha256(WEIGHTS), size_bytes: 3000, digest_origin: 'observed' },
      { path: 'text_encoder/model.safetensors', sha256: sha256(VAE), size_bytes: 2000, digest_origin: 'observed' },
      { path: 'z.gguf', sha256: sha256(WEIGHTS), size_bytes: 3000, digest_origin: 'observed' }
    ]);
  });

  it('is listed, verified, found damaged, dropped, and pulled again by its name', async () => {
    const folder = await folderOf({ 'unet/weights.gguf': WEIGHTS });
    const { root } = await pullFrom('my-model', folder);
    const services = await testServices({ root });
    expect(await listModels(services)).toMatchObject([
      { name: 'my-model', status: 'installed', files: [{ path: 'unet/weights.gguf', present: true, bytes: 3000 }] }
    ]);
    const model = await findModel(services, 'my-model');
    const verify = () => verifyModel(services, model, { depth: 'deep', signal, onProgress: () => undefined });
    expect(await verify()).toMatchObject({ healthy: true, files: [{ verdict: 'unverifiable' }] });
    await rm(join(root, 'models', 'my-model', 'unet', 'weights.gguf'));
    expect(await verify()).toMatchObject({ healthy: false });
    await dropModel(services, model);
    expect(await listModels(services)).toMatchObject([{ status: 'registered' }]);
    await pullModel(services, await findModel(services, 'my-model'), { signal, onEvent: () => undefined });
    expect(await readFile(join(root, 'models', 'my-model', 'unet', 'weights.gguf'))).toEqual(WEIGHTS);
  });

  it('is read anew when it is pulled from again', async () => {
    const folder = await folderOf({ 'a.gguf': WEIGHTS });
    const { root } = await pullFrom('my-model', folder);
    await writeFile(join(folder, 'b.gguf'), VAE);
    expect(await pullFrom('my-model', folder, root)).toMatchObject({ status: 0 });
    expect(await readdir(join(root, 'models', 'my-model'))).toEqual(['a.gguf', 'b.gguf', 'manifest.json']);
  });

  it.each([
    ['holds no file', { '.hidden': 'x', 'sub/manifest.json': '{}' }, /holds no files/],
    ['holds a name that Windows reserves', { 'sub/nul.bin': 'x' }, /sub\/nul\.bin is a device name/],
    ['holds a name that no drive of Windows takes', { 'a:b': 'x' }, /a:b contains one of/],
    ['holds two names that are one elsewhere', { 'A.bin': 'x', 'a.bin': 'y' }, /a\.bin and A\.bin for one file/],
    ['holds a folder and a file that are one elsewhere', { 'sub/a.bin': 'x', SUB: 'y' }, /sub\/a\.bin and the file SUB/]
  ])('is refused when it %s', async (_, files, message) => {
    const { root, status, err } = await pullFrom('my-model', await folderOf(files));
    expect({ status, err }).toMatchObject({ status: 1, err: expect.stringMatching(message) });
    const { out } = await runCli(['list', '--json'], { home: root });
    expect(JSON.parse(out)).toEqual([]);
  });

  it('is refused when it does not exist, and when several models are to come from one', async () => {
    expect(await pullFrom('my-model', '/nowhere/at/all')).toMatchObject({ status: 1 });
    const home = await temporaryFolder();
    expect(await runCli(['pull', 'a', 'b', '--from', home], { home })).toMatchObject({ status: 2 });
  });
});

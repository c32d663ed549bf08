import { chmod, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { dropModel } from '../../server/operations/models/drop-model';
import { findModel } from '../../server/operations/models/known-models';
import { listModels } from '../../server/operations/models/list-models';
import { modelFromManifest } from '../../server/operations/models/register-model';
import { pullModel } from '../../server/operations/pull/pull-model';
import { healModel } from '../../server/operations/verify-and-heal/heal-model';
import { rememberVerdicts, verifyModel } from '../../server/operations/verify-and-heal/verify-model';
import { Proofs } from '../../server/store/proofs';
import type { PullEvent } from '../../shared/job-events';
import { type RawServer, respond, startRawServer } from '../support/raw-http-server';
import { withoutRights } from '../support/rights';
import { digestOf, leftovers } from '../support/sample-bundle';
import { sampleBytes, sha256 } from '../support/sample-bytes';
import { temporaryFolder } from '../support/temporary-folder';
import { type TestFile, type TestServices, testServices, writeManifest } from '../support/test-services';

const WEIGHTS = sampleBytes(60_000);
const VAE = sampleBytes(40_000, 7);
/** Weights of a later version, of the same size. */
const LATER = sampleBytes(60_000, 9);
const CONTENTS = new Map([
  ['/vae', VAE],
  ['/later', LATER]
]);

let services: TestServices;
let site: RawServer;
let requested: string[];
let isBroken: boolean;
/** What happens before a file is answered. */
let beforeAnswer: (path: string) => Promise<void>;

beforeEach(async () => {
  requested = [];
  isBroken = false;
  beforeAnswer = async () => undefined;
  services = await testServices();
  // Files that were just written count as old ones, so that what is read of them is remembered.
  Object.assign(services.proofs, { now: () => Date.now() + 60_000 });
  site = await startRawServer(async ({ path }, socket) => {
    requested.push(path);
    await beforeAnswer(path);
    if (isBroken) respond(socket, 404, {}, Buffer.from('gone'));
    else {
      const body = CONTENTS.get(path) ?? WEIGHTS;
      respond(socket, 200, { 'Content-Length': body.length }, body);
    }
  });
  onTestFinished(() => site.close());
});

const weights = (): TestFile => ({ url: `${site.origin}/weights`, filename: 'weights.gguf', sha256: sha256(WEIGHTS) });
const vae = (): TestFile => ({ url: `${site.origin}/vae`, filename: 'vae.gguf', role: 'vae', sha256: sha256(VAE) });

const later = (): TestFile => ({ url: `${site.origin}/later`, filename: 'weights.gguf', sha256: sha256(LATER) });

async function install(name: string, files: readonly TestFile[], by = services): Promise<void> {
  const model = await modelFromManifest(await writeManifest(files, { name }));
  await pullModel(by, model, { signal: new AbortController().signal, onEvent: () => undefined });
  requested = [];
}

const fileOf = (model: string, file: string) => join(services.layout.models, model, file);

/** Damages a file in place, and with it every hard link to it. */
async function damage(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[100]! ^= 1;
  await chmod(path, 0o644);
  await writeFile(path, bytes);
}

async function heal(name: string, events: PullEvent[] = []) {
  const { signal } = new AbortController();
  const onEvent = (event: PullEvent): void => void events.push(event);
  return healModel(services, await findModel(services, name), { signal, onEvent, onProgress: () => undefined });
}

const statuses = async () => Object.fromEntries((await listModels(services)).map(({ name, status }) => [name, status]));

describe('healing', () => {
  it('fetches the damaged file and nothing else', async () => {
    await install('one', [weights(), vae()]);
    await damage(fileOf('one', 'weights.gguf'));
    const before = await stat(fileOf('one', 'vae.gguf'));
    const events: PullEvent[] = [];
    const result = await heal('one', events);
    expect(result).toMatchObject({ healed: ['weights.gguf'], others: [], transferredBytes: WEIGHTS.length });
    expect(result.report.healthy).toBe(true);
    expect(requested).toEqual(['/weights']);
    expect(await readFile(fileOf('one', 'weights.gguf'))).toEqual(WEIGHTS);
    expect((await stat(fileOf('one', 'vae.gguf'))).ino).toBe(before.ino);
    expect([events[0]?.type, events.at(-1)?.type]).toEqual(['started', 'completed']);
    expect(await statuses()).toEqual({ one: 'installed' });
  });

  it('fetches a file that is missing from the store when it is still there', async () => {
    await install('one', [weights(), vae()]);
    await rm(fileOf('one', 'vae.gguf'));
    expect(await heal('one')).toMatchObject({ healed: ['vae.gguf'], transferredBytes: 0 });
    expect(await readFile(fileOf('one', 'vae.gguf'))).toEqual(VAE);
  });

  it('does nothing to a sound model', async () => {
    await install('one', [weights()]);
    const before = await stat(fileOf('one', 'manifest.json'));
    expect(await heal('one')).toMatchObject({ healed: [], transferredBytes: 0, report: { healthy: true } });
    expect((await stat(fileOf('one', 'manifest.json'))).ino).toBe(before.ino);
  });

  it('heals the other models that share the damaged bytes, and fetches them once', async () => {
    await install('one', [weights(), vae()]);
    await install('two', [weights()]);
    await install('three', [vae()]);
    await damage(fileOf('one', 'weights.gguf'));
    expect(await heal('one')).toMatchObject({ others: ['two'], transferredBytes: WEIGHTS.length });
    expect(await readFile(fileOf('two', 'weights.gguf'))).toEqual(WEIGHTS);
    expect(requested).toEqual(['/weights']);
    expect(await statuses()).toEqual({ one: 'installed', two: 'installed', three: 'installed' });
  });

  it('keeps reporting what cannot be fetched, in every model that shares it, and keeps what is sound', async () => {
    await install('one', [weights(), vae()]);
    await install('two', [weights()]);
    await damage(fileOf('one', 'weights.gguf'));
    isBroken = true;
    const events: PullEvent[] = [];
    await expect(heal('one', events)).rejects.toMatchObject({ code: 'http-status' });
    expect(events.at(-1)).toMatchObject({ type: 'failed' });
    expect(await readFile(fileOf('one', 'vae.gguf'))).toEqual(VAE);
    expect(await statuses()).toEqual({ one: 'unhealthy', two: 'unhealthy' });
    isBroken = false;
    expect(await heal('two')).toMatchObject({ healed: ['weights.gguf'], others: ['one'] });
    expect(await statuses()).toEqual({ one: 'installed', two: 'installed' });
  });

  it('installs the model again when its manifest or its folder is gone', async () => {
    await install('one', [weights()]);
    await rm(fileOf('one', 'manifest.json'));
    expect(await heal('one')).toMatchObject({ report: { healthy: true }, transferredBytes: 0 });
    await rm(join(services.layout.models, 'one'), { recursive: true });
    expect(await heal('one')).toMatchObject({ report: { healthy: true }, transferredBytes: 0 });
    expect(await statuses()).toEqual({ one: 'installed' });
  });

  it('does not put an old version over a newer one that another process installed meanwhile', async () => {
    await install('one', [weights(), vae()]);
    await damage(fileOf('one', 'vae.gguf'));
    const other = await testServices({ root: services.root });
    beforeAnswer = async (path) => {
      if (path === '/vae') await install('one', [later()], other);
    };
    await expect(heal('one')).rejects.toMatchObject({ code: 'busy' });
    expect(await readFile(fileOf('one', 'weights.gguf'))).toEqual(LATER);
    expect(await statuses()).toEqual({ one: 'installed' });
    expect(await leftovers(services.layout)).toEqual([]);
  });

  it('does not vouch for a sound file that changed while another was fetched', async () => {
    await install('one', [weights(), vae()]);
    await damage(fileOf('one', 'vae.gguf'));
    beforeAnswer = () => damage(fileOf('one', 'weights.gguf'));
    await expect(heal('one')).rejects.toMatchObject({ code: 'busy' });
    beforeAnswer = async () => undefined;
    expect(await heal('one')).toMatchObject({ healed: ['vae.gguf', 'weights.gguf'], report: { healthy: true } });
  });

  it('does not bring a model back that was removed meanwhile', async () => {
    await install('one', [weights(), vae()]);
    await damage(fileOf('one', 'vae.gguf'));
    const other = await testServices({ root: services.root });
    beforeAnswer = async () => dropModel(other, await findModel(other, 'one'));
    await expect(heal('one')).rejects.toMatchObject({ code: 'busy' });
    expect(await statuses()).toEqual({ one: 'registered' });
  });

  it('leaves a bundle of a later format alone', async () => {
    await install('one', [weights()]);
    const text = JSON.stringify({ $schema: 'https://x/diffusion-dock.installed.v9.schema.json' });
    await rm(fileOf('one', 'manifest.json'));
    await writeFile(fileOf('one', 'manifest.json'), text);
    await expect(heal('one')).rejects.toMatchObject({ message: expect.stringContaining('newer version') });
    expect(await readFile(fileOf('one', 'manifest.json'), 'utf8')).toBe(text);
  });

  it('takes nothing away that somebody put beside the model', async () => {
    await install('one', [weights()]);
    await writeFile(fileOf('one', 'notes.txt'), 'mine');
    await damage(fileOf('one', 'weights.gguf'));
    await expect(heal('one')).rejects.toMatchObject({ message: expect.stringContaining('notes.txt') });
    expect(await readFile(fileOf('one', 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('takes nothing away that lies beside a manifest that cannot be read, and neither does a pull', async () => {
    await install('one', [weights()]);
    await rm(fileOf('one', 'manifest.json'));
    await writeFile(fileOf('one', 'manifest.json'), '{');
    await writeFile(fileOf('one', 'notes.txt'), 'mine');
    const refused = { message: expect.stringContaining('notes.txt'), nextStep: expect.any(String) };
    await expect(heal('one')).rejects.toMatchObject(refused);
    await expect(install('one', [weights()])).rejects.toMatchObject(refused);
    expect(await readFile(fileOf('one', 'notes.txt'), 'utf8')).toBe('mine');
    await rm(fileOf('one', 'notes.txt'));
    expect(await heal('one')).toMatchObject({ report: { healthy: true } });
  });

  it('replaces no file that it may not read', async () => {
    await install('one', [weights(), vae()]);
    const hash = services.hasher.hash.bind(services.hasher);
    const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
    vi.spyOn(services.hasher, 'hash').mockImplementation((path, options) =>
      path.endsWith('vae.gguf') ? Promise.reject(denied) : hash(path, options)
    );
    services = { ...services, proofs: new Proofs(await temporaryFolder()) };
    const files = [{ verdict: 'unverifiable', reason: 'Access was denied.' }, { verdict: 'verified' }];
    expect(await heal('one')).toMatchObject({ healed: [], report: { files } });
    expect(requested).toEqual([]);
  });

  it.runIf(process.platform !== 'win32')('does not replace a model that it may not look at', async () => {
    await install('one', [weights()]);
    const folder = join(services.layout.models, 'one');
    await chmod(fileOf('one', 'manifest.json'), 0);
    const model = await findModel(services, 'one');
    const outcome = withoutRights(services.root, async () => {
      const { signal } = new AbortController();
      await healModel(services, model, { signal, onEvent: () => undefined, onProgress: () => undefined });
    });
    await expect(outcome).rejects.toMatchObject({ code: 'file-access', subject: folder });
  });

  it('heals what can be had, although another file cannot be had, and says why', async () => {
    await install('one', [weights(), vae()]);
    await damage(fileOf('one', 'weights.gguf'));
    await damage(fileOf('one', 'vae.gguf'));
    beforeAnswer = async (path) => void (isBroken = path === '/vae');
    expect(await heal('one')).toMatchObject({
      healed: ['weights.gguf'],
      failures: [{ code: 'http-status' }],
      report: { healthy: false }
    });
    expect(await readFile(fileOf('one', 'weights.gguf'))).toEqual(WEIGHTS);
    expect((await stat(fileOf('one', 'vae.gguf'))).size).toBe(VAE.length);
    await rm(fileOf('one', 'vae.gguf'));
    await damage(fileOf('one', 'weights.gguf'));
    expect(await heal('one')).toMatchObject({ healed: ['weights.gguf'], failures: [{ code: 'http-status' }] });
    beforeAnswer = async () => void (isBroken = false);
    expect(await heal('one')).toMatchObject({ healed: ['vae.gguf'], failures: [], report: { healthy: true } });
  });

  it('forgets what was wrong once a pull has found that nothing is', async () => {
    await install('one', [weights()]);
    const path = fileOf('one', 'weights.gguf');
    await damage(path);
    const report = await verifyModel(services, await findModel(services, 'one'), {
      depth: 'deep',
      signal: new AbortController().signal,
      onProgress: () => undefined
    });
    await rememberVerdicts(services, [report]);
    const [{ installed } = {}] = await services.registry.read();
    expect(installed?.verdict?.problem).toContain('weights.gguf');
    await damage(path);
    await install('one', [weights()]);
    const [entry] = await services.registry.read();
    expect(requested).toEqual([]);
    expect(entry?.installed).toMatchObject({ installed_at_unix_ms: installed?.installed_at_unix_ms });
    expect(entry?.installed?.verdict).toBeUndefined();
  });

  it('leaves a link in the place of a model, and what is behind it', async () => {
    await install('one', [weights()]);
    const elsewhere = join(await temporaryFolder(), 'one');
    await rename(join(services.layout.models, 'one'), elsewhere);
    await symlink(elsewhere, join(services.layout.models, 'one'));
    expect(await statuses()).toEqual({ one: 'unhealthy' });
    await expect(heal('one')).rejects.toMatchObject({ code: 'file-access' });
    await expect(install('one', [weights()])).rejects.toMatchObject({ code: 'file-access' });
    expect(await readFile(fileOf('one', 'weights.gguf'))).toEqual(WEIGHTS);
  });

  it('keeps a file that nobody declared a digest for while it is as it was installed', async () => {
    const { sha256: _, ...undeclared } = weights();
    await install('one', [undeclared]);
    expect(await heal('one')).toMatchObject({ healed: [], report: { files: [{ verdict: 'unverifiable' }] } });
    await damage(fileOf('one', 'weights.gguf'));
    expect(await heal('one')).toMatchObject({ healed: ['weights.gguf'] });
    expect(await readFile(fileOf('one', 'weights.gguf'))).toEqual(WEIGHTS);
  });

  it('of a file that its manifest asks in another version says to pull', async () => {
    await install('one', [weights()]);
    await services.registry.change((models) =>
      models.map((entry) => {
        const files = entry.manifest.files.map((file) => ({ ...file, sha256: digestOf(VAE) }));
        return { ...entry, manifest: { ...entry.manifest, files } };
      })
    );
    await damage(fileOf('one', 'weights.gguf'));
    await expect(heal('one')).rejects.toMatchObject({ code: 'outdated-model', nextStep: expect.any(String) });
  });
});

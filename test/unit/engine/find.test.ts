import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findEngine } from '../../../server/engine/find';
import { changeSelection, versionsFolder, writeRecord } from '../../../server/engine/install/installed-engines';
import { failureOf } from './failures';
import { temporaryFolder } from './processes';

let folder: string;
let engineFolder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(await temporaryFolder(), 'find-'));
  engineFolder = join(folder, 'engine');
});

afterEach(() => rm(dirname(folder), { recursive: true }));

async function program(...segments: string[]): Promise<string> {
  const path = join(folder, ...segments);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '#!/bin/sh\n');
  await chmod(path, 0o755);
  return path;
}

const search = (more: { configuredPath?: string; environment?: Record<string, string>; platform?: NodeJS.Platform }) =>
  findEngine({ environment: {}, engineFolder, platform: 'linux', ...more });

/** An engine as an installation leaves it. */
async function installEngine(): Promise<string> {
  const path = await program('engine', 'versions', 'one', 'files', 'build', 'bin', 'sd-cli');
  const installer = { host: 'here', bootId: 'boot', pid: 1, startTime: '1' };
  await writeRecord(join(versionsFolder(engineFolder), 'one'), {
    release: 'master-1-aaaaaaa',
    variant: 'cpu',
    program: 'build/bin/sd-cli',
    version: 'stable-diffusion.cpp version one',
    archives: [],
    digest_origin: 'published',
    installed_at_unix_ms: 0,
    installer
  });
  await changeSelection(engineFolder, (before) => ({ ...before, current: 'one' }));
  return path;
}

describe('finding the engine', () => {
  it('prefers the setting, then the variable, then PATH, then our own', async () => {
    const installed = await installEngine();
    expect(await search({})).toEqual({ path: installed, origin: 'installed' });
    const onPath = await program('bin', 'sd-cli');
    const environment = { PATH: [join(folder, 'nosuch'), dirname(onPath)].join(delimiter) };
    expect(await search({ environment })).toEqual({ path: onPath, origin: 'path' });
    const named = await program('named');
    const both = { ...environment, DIFFUSION_DOCK_SD_CLI: named };
    expect(await search({ environment: both })).toEqual({ path: named, origin: 'environment' });
    const configuredPath = await program('configured');
    expect(await search({ configuredPath, environment: both })).toEqual({ path: configuredPath, origin: 'setting' });
  });

  it('takes empty values as not set', async () => {
    const installed = await installEngine();
    const found = await search({ configuredPath: '', environment: { DIFFUSION_DOCK_SD_CLI: '', PATH: '' } });
    expect(found.path).toBe(installed);
  });

  it('prefers what somebody chose to PATH, and does not skip it silently', async () => {
    const onPath = await program('bin', 'sd-cli');
    const environment = { PATH: dirname(onPath) };
    const path = await program('chosen');
    await changeSelection(engineFolder, (before) => ({ ...before, chosen: { path } }));
    expect(await search({ environment })).toEqual({ path, origin: 'chosen' });
    await rm(path);
    expect(await failureOf(search({ environment }))).toMatchObject({ code: 'engine-missing', subject: path });
    const installed = await installEngine();
    await changeSelection(engineFolder, (before) => ({ ...before, chosen: 'installed' }));
    expect(await search({ environment })).toEqual({ path: installed, origin: 'installed' });
  });

  it('takes a selection that makes no sense for none', async () => {
    await mkdir(engineFolder, { recursive: true });
    await writeFile(join(engineFolder, 'selection.json'), '{"current": "../../elsewhere"}');
    expect((await failureOf(search({}))).code).toBe('engine-missing');
  });

  it('never skips a configured path that does not exist', async () => {
    await installEngine();
    const configuredPath = join(folder, 'nosuch');
    const failure = await failureOf(search({ configuredPath }));
    expect(failure).toMatchObject({ code: 'engine-missing', subject: configuredPath });
    expect(failure.message).toContain(configuredPath);
    const environment = { DIFFUSION_DOCK_SD_CLI: configuredPath };
    expect((await failureOf(search({ environment }))).message).toContain('DIFFUSION_DOCK_SD_CLI');
  });

  it('refuses a relative setting, for it would name a file of the open folder', async () => {
    expect(await failureOf(search({ configuredPath: './sd-cli' }))).toMatchObject({ code: 'engine-missing' });
  });

  it('says that a configured path is a folder', async () => {
    expect((await failureOf(search({ configuredPath: folder }))).code).toBe('engine-unusable');
  });

  it('takes nothing from relative entries of PATH, and nothing that is not executable', async () => {
    const path = await program('bin', 'sd-cli');
    await chmod(path, 0o644);
    await mkdir(join(folder, 'odd', 'sd-cli'), { recursive: true });
    const environment = { PATH: ['', '.', 'bin', join(folder, 'bin'), join(folder, 'odd')].join(delimiter) };
    const before = process.cwd();
    process.chdir(folder);
    try {
      expect((await failureOf(search({ environment }))).code).toBe('engine-missing');
    } finally {
      process.chdir(before);
    }
  });

  it('looks for sd-cli.exe on Windows, in PATH of any case', async () => {
    const path = await program('bin', 'sd-cli.exe');
    const environment = { Path: dirname(path) };
    expect(await search({ environment, platform: 'win32' })).toEqual({ path, origin: 'path' });
  });

  it('says what to do when there is none', async () => {
    const failure = await failureOf(search({}));
    expect(failure).toMatchObject({ code: 'engine-missing', message: 'No sd-cli was found on this machine.' });
    expect(failure.nextStep).toContain('Install');
  });
});

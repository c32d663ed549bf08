import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  exists,
  makeDirectoryDurably,
  publishFile,
  removeAbandonedTemporaries,
  renamePatiently,
  writeFileDurably
} from '../../../server/platform/durable-files';
import { createFileDurably } from '../../../server/platform/exclusive-files';
import { ownerTag, ownIdentity } from '../../../server/platform/process-identity';
import { memoryFolder } from '../../support/memory-folder';
import { Random } from '../../support/random';
import { bundleScript, ScriptProcess } from '../../support/script-process';

// Dozens of processes are started one after another, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let scripts: string;
let script: string;
let folder: string;
let path: string;

beforeAll(async () => {
  scripts = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  script = await bundleScript('crash/platform-script.ts', scripts);
  return () => rm(scripts, { recursive: true });
});

beforeEach(async () => {
  folder = await memoryFolder();
  path = join(folder, 'file.json');
});

describe('writing a file', () => {
  it('replaces the whole content and leaves nothing else', async () => {
    await writeFileDurably(path, 'a long text');
    await writeFileDurably(path, Buffer.from('short'));
    expect(await readFile(path, 'utf8')).toBe('short');
    expect(await readdir(folder)).toEqual(['file.json']);
  });

  it('leaves the old content and no temporary file when it fails', async () => {
    const taken = join(folder, 'taken');
    await mkdir(join(taken, 'child'), { recursive: true });
    await expect(writeFileDurably(taken, 'x')).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM/);
    await expect(writeFileDurably(join(folder, 'nowhere', 'x'), 'x')).rejects.toThrow('ENOENT');
    expect(await readdir(folder)).toEqual(['taken']);
    expect(await readdir(taken)).toEqual(['child']);
  });

  it('by many at the same time leaves what one of them wrote', async () => {
    const texts = Array.from({ length: 20 }, (_, index) => `${index} `.repeat(5000));
    await Promise.all(texts.map((text) => writeFileDurably(path, text)));
    expect(texts).toContain(await readFile(path, 'utf8'));
    expect(await readdir(folder)).toEqual(['file.json']);
  });

  it('leaves the old content or the new when the process dies at any call', async () => {
    const seen = new Set<string>();
    for (let call = 1; ; call += 1) {
      await writeFile(path, 'old');
      const { signal } = await new ScriptProcess(script, ['write-once', path, 'new', String(call)]).ended;
      seen.add(await readFile(path, 'utf8'));
      await removeAbandonedTemporaries(folder);
      expect(await readdir(folder)).toEqual(['file.json']);
      if (signal === null) break;
    }
    expect(seen).toEqual(new Set(['old', 'new']));
  });

  it('leaves a whole content when the process is killed at any moment, and no older one than acknowledged', async () => {
    const random = new Random(7);
    const length = 2_000_000;
    for (let kill = 0; kill < 12; kill += 1) {
      const child = new ScriptProcess(script, ['write', path, String(length)]);
      await child.untilLines(1 + random.below(5));
      for (let turns = random.below(60); turns > 0; turns -= 1) await new Promise((done) => setImmediate(done));
      await child.kill();
      const text = await readFile(path, 'latin1');
      const acknowledged = Number(child.lines.at(-1));
      expect(text.length).toBe(length);
      expect([acknowledged % 10, (acknowledged + 1) % 10].map(String)).toContain(text.charAt(0));
      expect(text === text.charAt(0).repeat(length)).toBe(true);
      await removeAbandonedTemporaries(folder);
      expect(await readdir(folder)).toEqual(['file.json']);
    }
  });
});

describe('creating a file', () => {
  it('writes it whole', async () => {
    expect(await createFileDurably(path, 'text')).toBe(true);
    expect(await readFile(path, 'utf8')).toBe('text');
    expect(await readdir(folder)).toEqual(['file.json']);
  });

  it.each([
    ['a file', () => writeFile(path, 'other')],
    ['a folder', () => mkdir(path)],
    ['a dangling link', () => symlink('nowhere', path)]
  ])('leaves %s that is there', async (_, put) => {
    await put();
    const before = await stat(folder);
    expect(await createFileDurably(path, 'text')).toBe(false);
    expect(await readdir(folder)).toEqual(['file.json']);
    expect((await stat(folder)).ino).toBe(before.ino);
    expect(await readFile(path, 'utf8').catch(() => 'no file')).not.toBe('text');
  });

  it('lets one of many win, whose content it then is', async () => {
    const texts = Array.from({ length: 30 }, (_, index) => `writer ${index}`);
    const wins = await Promise.all(texts.map((text) => createFileDurably(path, text)));
    expect(wins.filter(Boolean)).toHaveLength(1);
    expect(await readFile(path, 'utf8')).toBe(texts[wins.indexOf(true)]);
    expect(await readdir(folder)).toEqual(['file.json']);
  });
});

describe('abandoned temporary files', () => {
  it('are removed only when their writer is proved dead', async () => {
    const own = await ownIdentity();
    const living = `.${ownerTag(own, 'a1')}.tmp`;
    const dead = `.${ownerTag({ ...own, startTime: '1' }, 'a2')}.tmp`;
    const elsewhere = `.${ownerTag({ ...own, startTime: '1', host: 'elsewhere' }, 'a3')}.tmp`;
    const foreign = ['.hidden.tmp', 'file.tmp', dead.slice(1)];
    for (const name of [living, dead, elsewhere, ...foreign]) await writeFile(join(folder, name), '');
    expect(await removeAbandonedTemporaries(folder)).toBe(1);
    expect((await readdir(folder)).toSorted()).toEqual([living, elsewhere, ...foreign].toSorted());
  });

  it('are none where there is no folder', async () => {
    expect(await removeAbandonedTemporaries(join(folder, 'nowhere'))).toBe(0);
  });
});

describe('a folder', () => {
  it('is made with all its parents, and again without an error', async () => {
    const deep = join(folder, 'a', 'b', 'c');
    await makeDirectoryDurably(deep);
    await makeDirectoryDurably(deep);
    expect((await stat(deep)).isDirectory()).toBe(true);
  });

  it('is made by many at the same time', async () => {
    const deep = join(folder, 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 20 }, () => makeDirectoryDurably(deep)));
    expect((await stat(deep)).isDirectory()).toBe(true);
  });

  it('is not made where a file is in the way', async () => {
    await writeFile(path, '');
    await expect(makeDirectoryDurably(path)).rejects.toThrow('EEXIST');
    await expect(makeDirectoryDurably(join(path, 'child'))).rejects.toThrow('ENOTDIR');
  });
});

describe('renaming', () => {
  it('replaces a file', async () => {
    await writeFile(path, 'new');
    await writeFile(join(folder, 'target'), 'old');
    await publishFile(path, join(folder, 'target'));
    expect(await readdir(folder)).toEqual(['target']);
    expect(await readFile(join(folder, 'target'), 'utf8')).toBe('new');
  });

  it('tells at once what no patience helps against', async () => {
    await expect(renamePatiently(path, join(folder, 'target'))).rejects.toThrow('ENOENT');
    await mkdir(path);
    await mkdir(join(folder, 'full', 'child'), { recursive: true });
    await expect(renamePatiently(path, join(folder, 'full'))).rejects.toThrow(/ENOTEMPTY|EEXIST|EPERM/);
  });
});

it('knows what exists without following links', async () => {
  await writeFile(path, '');
  await symlink('nowhere', join(folder, 'dangling'));
  const paths = [folder, path, join(folder, 'dangling'), join(folder, 'nowhere'), join(path, 'child')];
  expect(await Promise.all(paths.map(exists))).toEqual([true, true, true, false, false]);
  await expect(exists(join(dirname(path), 'x'.repeat(5000)))).rejects.toThrow('ENAMETOOLONG');
});

import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { removeAbandonedTemporaries } from '../../../server/platform/durable-files';
import { ownerTag, ownIdentity } from '../../../server/platform/process-identity';
import { Registry } from '../../../server/registry/registry';
import { type Models, withEntry } from '../../../server/registry/registry-state';
import { memoryFolder } from '../../support/memory-folder';
import { Random } from '../../support/random';
import { sampleEntry } from '../../support/sample-entry';
import { bundleScript, ScriptProcess } from '../../support/script-process';

const KEPT = 16;

// Dozens of processes are started one after another, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let scripts: string;
let script: string;
let folder: string;
let registry: Registry;

beforeAll(async () => {
  scripts = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  script = await bundleScript('registry-script.ts', scripts);
  return () => rm(scripts, { recursive: true });
});

beforeEach(async () => {
  folder = join(await memoryFolder(), 'registry');
  registry = new Registry(folder);
});

const adding = (text: string) => (models: Models) => {
  const { name, entry } = sampleEntry(text);
  return withEntry(models, name, entry);
};

const without = (text: string) => (models: Models) => models.filter(({ manifest }) => manifest.name !== text);

const add = (text: string) => registry.change(adding(text));

async function names(): Promise<string[]> {
  return (await new Registry(folder).read()).map(({ manifest }) => manifest.name);
}

async function generations(): Promise<number[]> {
  const files = await readdir(folder);
  return files.map((file) => Number(file.replace(/\.json$/, ''))).toSorted((a, b) => a - b);
}

/** Has another process register so many models, and waits for it without giving way to anything of ours. */
function addElsewhere(prefix: string, count: number): string[] {
  const { status, stdout } = spawnSync(process.execPath, [script, folder, prefix, `${count}`], { encoding: 'utf8' });
  expect(status).toBe(0);
  return stdout.trim().split('\n');
}

describe('the registry', () => {
  it('is empty, and writes nothing, where there is none', async () => {
    expect(await registry.read()).toEqual([]);
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });

  it('remembers every edit, sorted by name', async () => {
    for (const name of ['b', 'c', 'a']) await add(name);
    expect(await names()).toEqual(['a', 'b', 'c']);
  });

  it('publishes nothing for an edit that changes nothing', async () => {
    await add('a');
    const before = await generations();
    await add('a');
    await registry.change((models) => models);
    expect(await generations()).toEqual(before);
  });

  it('publishes nothing when the edit throws', async () => {
    await add('a');
    const failing = registry.change(() => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await generations()).toEqual([1]);
    expect(await names()).toEqual(['a']);
  });

  it('keeps a bounded number of generations', async () => {
    for (let index = 0; index < 3 * KEPT; index += 1) await add(`model-${index}`);
    expect(await generations()).toHaveLength(KEPT);
    expect(await names()).toHaveLength(3 * KEPT);
  });
});

describe('many writers', () => {
  it('of one process lose nothing', async () => {
    const wanted = Array.from({ length: 40 }, (_, index) => `model-${index}`);
    await Promise.all(wanted.map((name) => new Registry(folder).change(adding(name))));
    expect(await names()).toEqual(wanted.toSorted());
    expect((await generations()).length).toBeLessThanOrEqual(KEPT);
  });

  it('in six processes lose none of their edits, while readers never see a part of one', async () => {
    const children = Array.from({ length: 6 }, (_, index) => new ScriptProcess(script, [folder, `p${index}`, '25']));
    const all = Promise.all(children.map(({ ended }) => ended));
    const progress = { isOver: false };
    const ends = all.finally(() => {
      progress.isOver = true;
    });
    let seen = 0;
    while (!progress.isOver) {
      const count = (await names()).length;
      expect(count).toBeGreaterThanOrEqual(seen);
      seen = count;
    }
    expect((await ends).map(({ code }) => code)).toEqual(children.map(() => 0));
    expect(await names()).toEqual(children.flatMap(({ lines }) => lines).toSorted());
    expect(await names()).toHaveLength(150);
    expect((await generations()).length).toBeLessThanOrEqual(KEPT);
  });

  it.each([1, 15, 16, 17, 40])('lose nothing when one is overtaken by %i generations', async (count) => {
    await add('first');
    let others: string[] = [];
    let calls = 0;
    await registry.change((models) => {
      calls += 1;
      if (calls === 1) others = addElsewhere('other', count);
      return adding('slow')(models);
    });
    expect(calls).toBe(2);
    expect(await names()).toEqual(['first', 'slow', ...others].toSorted());
    expect(await generations()).toHaveLength(Math.min(KEPT, count + 2));
  });

  it.each([3, 20])('bring nothing back that was removed while one was overtaken by %i generations', async (count) => {
    await add('dropped');
    let isFirst = true;
    await registry.change((models) => {
      if (isFirst) addElsewhere('dropper', count);
      isFirst = false;
      return without('dropped')(models);
    });
    const before = await names();
    expect(before).not.toContain('dropped');
    let isAgain = true;
    await registry.change((models) => {
      if (isAgain) addElsewhere('later', count);
      isAgain = false;
      return adding('slow')(models);
    });
    expect(await names()).toEqual(
      [...before, 'slow', ...Array.from({ length: count }, (_, i) => `later-${i}`)].toSorted()
    );
  });

  it('that are killed at any moment lose nothing acknowledged and leave nothing but what the next start removes', async () => {
    const random = new Random(11);
    const acknowledged: string[] = [];
    for (let kill = 0; kill < 10; kill += 1) {
      const child = new ScriptProcess(script, [folder, `k${kill}`, '1000']);
      await child.untilLines(1 + random.below(6));
      await child.kill();
      acknowledged.push(...child.lines);
    }
    const found = await names();
    expect(found).toEqual(expect.arrayContaining(acknowledged));
    expect(found.length).toBeLessThanOrEqual(acknowledged.length + 10);
    await removeAbandonedTemporaries(folder);
    expect((await generations()).every((number) => number > 0)).toBe(true);
  });
});

describe('a registry that cannot be used', () => {
  it.each([
    '',
    '{',
    '[]',
    '{"schema":2,"id":"x","parent":"y","models":[]}',
    '{"schema":1}',
    '{"__proto__":{"schema":1}}'
  ])('because its newest generation is “%s” says so, and is not written over', async (text) => {
    await add('a');
    await writeFile(join(folder, '2.json'), text);
    const failure = {
      code: 'file-access',
      message: 'The registry cannot be read: it is damaged or written by a newer version.',
      subject: join(folder, '2.json'),
      nextStep: expect.stringContaining('delete it')
    };
    await expect(registry.read()).rejects.toMatchObject(failure);
    await expect(add('b')).rejects.toMatchObject(failure);
    expect(await generations()).toEqual([1, 2]);
    expect(await readFile(join(folder, '2.json'), 'utf8')).toBe(text);
    // What the failure advises.
    await rm(join(folder, '2.json'));
    await add('b');
    expect(await names()).toEqual(['a', 'b']);
  });

  it('because a folder lies in a generation’s place fails with the registry’s name', async () => {
    await mkdir(join(folder, '1.json'), { recursive: true });
    await expect(registry.read()).rejects.toMatchObject({ code: 'file-access', subject: folder });
    await expect(add('a')).rejects.toMatchObject({ code: 'file-access', subject: folder });
  });

  it('because its newest generation is a link to nothing says so', async () => {
    await add('a');
    await symlink(join(folder, 'nowhere'), join(folder, '2.json'));
    const failure = { code: 'file-access', subject: join(folder, '2.json') };
    await expect(registry.read()).rejects.toMatchObject(failure);
    await expect(add('b')).rejects.toMatchObject(failure);
  });

  it('because a file lies in its place fails with its name', async () => {
    await writeFile(folder, '');
    await expect(add('a')).rejects.toMatchObject({ code: 'file-access', subject: folder });
    expect(await readFile(folder, 'utf8')).toBe('');
  });

  it('is not one in which files of others lie', async () => {
    await add('a');
    const tag = ownerTag(await ownIdentity(), 'a1');
    const foreign = ['0.json', '01.json', '-3.json', '7.json.bak', 'notes.txt', `.${tag}.tmp`];
    for (const name of foreign) await writeFile(join(folder, name), 'not ours');
    await add('b');
    expect(await names()).toEqual(['a', 'b']);
    expect((await readdir(folder)).toSorted()).toEqual(['1.json', '2.json', ...foreign].toSorted());
  });
});

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { sweepClaims, tryClaim } from '../../../server/platform/claims';
import { removeAbandonedTemporaries } from '../../../server/platform/durable-files';
import { ownIdentity } from '../../../server/platform/process-identity';
import { memoryFolder } from '../../support/memory-folder';
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
  path = join(folder, 'content.claim');
});

/** Another process that holds the claim. */
async function holder(): Promise<ScriptProcess> {
  const child = new ScriptProcess(script, ['hold', path]);
  await child.untilLines(1);
  expect(child.lines).toEqual(['held']);
  return child;
}

/** Text of a claim whose holder is dead. */
async function deadClaim(nonce: string): Promise<string> {
  return JSON.stringify({ owner: { ...(await ownIdentity()), startTime: '1' }, nonce });
}

/** Takes the claim, sees that nobody else can, and gives it back without a trace. */
async function expectFree(): Promise<void> {
  const claim = await tryClaim(path);
  expect(claim).toBeDefined();
  expect(await tryClaim(path)).toBeUndefined();
  await claim?.release();
  expect(await readdir(folder)).toEqual([]);
}

describe('a claim', () => {
  it('is refused to a second claimant of the same process until it is released', async () => {
    await expectFree();
    await expectFree();
  });

  it('is refused while another process holds it', async () => {
    await holder();
    expect(await tryClaim(path)).toBeUndefined();
    expect(await readdir(folder)).toEqual(['content.claim']);
  });

  it('is taken over at once when its holder was killed', async () => {
    const child = await holder();
    await child.kill();
    await expectFree();
  });

  it('of another host is never taken over', async () => {
    const own = await ownIdentity();
    await writeFile(path, JSON.stringify({ owner: { ...own, host: 'elsewhere', startTime: '1' }, nonce: 'a1' }));
    expect(await tryClaim(path)).toBeUndefined();
  });

  it.each(['', '{', 'null', '{"owner":{}}', '{"owner":1,"nonce":"../../x"}'])(
    'that is the text “%s” is taken over, for no holder writes that',
    async (text) => {
      await writeFile(path, text);
      await expectFree();
    }
  );

  it('counts as held where something lies that is no file', async () => {
    await mkdir(path);
    expect(await tryClaim(path)).toBeUndefined();
    expect(await readdir(folder)).toEqual(['content.claim']);
  });

  it('that was lost is not released on behalf of its successor', async () => {
    const claim = await tryClaim(path);
    const successor = await deadClaim('b2');
    await writeFile(path, successor);
    await claim?.release();
    expect(await readFile(path, 'utf8')).toBe(successor);
  });

  it('is made in a folder that is not there yet', async () => {
    path = join(folder, 'new', 'content.claim');
    expect(await tryClaim(path)).toBeDefined();
  });
});

describe('the claim of a dead holder', () => {
  it('is left to a living process that is about to remove it', async () => {
    await writeFile(path, await deadClaim('a1'));
    await writeFile(`${path}.a1.tomb`, JSON.stringify({ owner: await ownIdentity(), nonce: 'a2' }));
    expect(await tryClaim(path)).toBeUndefined();
  });

  it('is taken over when those who were about to remove it died too', async () => {
    await writeFile(path, await deadClaim('a1'));
    await writeFile(`${path}.a1.tomb`, await deadClaim('a2'));
    await writeFile(`${path}.a2.tomb`, await deadClaim('a3'));
    await expectFree();
  });

  it('is taken over when a tombstone is damaged', async () => {
    await writeFile(path, await deadClaim('a1'));
    await writeFile(`${path}.a1.tomb`, '');
    await expectFree();
  });

  it('leaves no tombstone of those who died after they had removed it', async () => {
    await writeFile(`${path}.a1.tomb`, await deadClaim('a2'));
    await expectFree();
  });

  it('is swept away with its tombstones, and no living one', async () => {
    const living = join(folder, 'living.claim');
    await tryClaim(living);
    await writeFile(path, await deadClaim('a1'));
    await writeFile(`${path}.a1.tomb`, await deadClaim('a2'));
    await sweepClaims(folder);
    expect(await readdir(folder)).toEqual(['living.claim']);
  });
});

describe('many processes', () => {
  it('that die as holders hold it one after another, each alone', async () => {
    await writeFile(path, await deadClaim('a1'));
    const children = Array.from({ length: 6 }, () => new ScriptProcess(script, ['claim', path, '0']));
    const ends = await Promise.all(children.map(({ ended }) => ended));
    expect(children.map(({ lines }) => lines)).toEqual(children.map(() => ['was alone']));
    expect(ends.map(({ signal }) => signal)).toEqual(children.map(() => 'SIGKILL'));
    await removeAbandonedTemporaries(folder);
    await expectFree();
  });

  it('that die at any call of a take-over keep nobody from taking over, alone', async () => {
    await writeFile(path, await deadClaim('a1'));
    // The later ones die later: as undertakers, as holders, and the last ones only after they were alone.
    const deaths = [3, 4, 5, 6, 7, 8, 9, 10, 0, 0];
    const children = deaths.map((call) => new ScriptProcess(script, ['claim', path, String(call)]));
    const ends = await Promise.all(children.map(({ ended }) => ended));
    expect(ends.map(({ signal }) => signal)).toEqual(deaths.map(() => 'SIGKILL'));
    expect(children.slice(-2).map(({ lines }) => lines)).toEqual([['was alone'], ['was alone']]);
    await removeAbandonedTemporaries(folder);
    await expectFree();
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCheckpoint } from '../../../server/artifacts/checkpoints/find-checkpoint';
import {
  batchFile,
  filesBelow,
  folderStore,
  imagesOf,
  type Machine,
  machine,
  run,
  SMALL
} from '../../support/batch/batch-bench';
import { Death, dyingStore } from '../../support/batch/dying-store';
import { sampleManifest } from '../../support/sample-services';
import { temporaryFolder } from '../../support/temporary-folder';

let samples: string;
let manifest: string;

beforeAll(async () => {
  samples = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  manifest = await sampleManifest({}, samples);
});

afterAll(() => rm(samples, { recursive: true }));

async function runsOn(...machines: readonly Machine[]): Promise<number> {
  const runs = await Promise.all(machines.map(({ engine }) => engine.runs()));
  return runs.flat().length;
}

const TWO = { models: ['tiny-sd1'], prompts: ['a cat'], seeds: [1, 2], options: SMALL };

describe('a batch whose runner dies', () => {
  it('at any call of the store goes on elsewhere with the same images, of which it makes one again at most', async () => {
    const [here, there] = [await machine(manifest), await machine(manifest)];
    const file = await batchFile(TWO);
    const counted = dyingStore(await folderStore(here.services));
    const expected = await imagesOf(here, await run(here, { file, store: counted }));
    expect(expected).toHaveLength(2);
    const ends: string[] = [];
    for (let at = 1; at <= counted.calls; at += 1) {
      const folder = await temporaryFolder();
      const store = await folderStore(here.services, folder);
      const before = await runsOn(here, there);
      const moment = at % 2 === 0 ? 'before' : 'after';
      await expect(run(here, { file, store: dyingStore(store, at, moment) })).rejects.toBeInstanceOf(Death);
      const checkpoint = await findCheckpoint(store, 'job', new AbortController().signal);
      const isOver = checkpoint?.kind === 'readable' && checkpoint.manifest.phase === 'removing';
      if (checkpoint || at < counted.calls / 2) {
        const result = await run(there, { file, store, resume: checkpoint !== undefined });
        if (!isOver) expect(await imagesOf(there, result), `after call ${at}`).toEqual(expected);
      }
      expect((await runsOn(here, there)) - before, `runs after call ${at}`).toBeLessThanOrEqual(expected.length + 1);
      expect(await filesBelow(folder), `files after call ${at}`).toEqual([]);
      ends.push(checkpoint === undefined ? 'nothing' : isOver ? 'over' : 'unfinished');
    }
    // Whoever died while the checkpoint was removed had all images already.
    expect(ends.join(' ')).toMatch(/^(nothing )+(unfinished )+(over )+nothing$/);
  }, 180_000);
});

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BatchResult } from '../../../shared/batch';
import { batchFile, filesBelow, SMALL } from '../../support/batch/batch-bench';
import { engineScript } from '../../support/engine-script';
import { type FastEngine, fastEngine } from '../../support/fast-engine';
import { type CliResult, runCli, startCli } from '../../support/run-cli';
import { sampleManifest } from '../../support/sample-services';
import { temporaryFolder } from '../../support/temporary-folder';

const DIE_AT_CALL = resolve(import.meta.dirname, '../../support/batch/die-at-call.cjs');

/** So many of the calls that change the store are deaths. */
const DEATHS = 5;

let root: string;
let here: string;
let there: string;
let engine: FastEngine;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  [here, there] = [join(root, 'here'), join(root, 'there')];
  engine = await fastEngine(root);
  const manifest = await sampleManifest({}, root);
  expect((await runCli(['pull', manifest], { home: here })).status).toBe(0);
  await cp(here, there, { recursive: true });
});

afterAll(() => rm(root, { recursive: true }));

/** Runs a batch on one of the machines, in a process of its own. */
function batch(
  home: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {}
): Promise<CliResult> {
  return startCli(['batch', ...words, '--json'], {
    home,
    environment: { DIFFUSION_DOCK_SD_CLI: engine.path, ...environment }
  }).ended;
}

function resultOf({ status, out, err }: CliResult): BatchResult {
  expect({ status, err }).toEqual({ status: 0, err: '' });
  return JSON.parse(out.trim().split('\n').at(-1) ?? '') as BatchResult;
}

/** The bytes of the images of a result. */
async function bytesOf({ images }: BatchResult): Promise<string[]> {
  return Promise.all(images.map(async ({ path }) => (await readFile(path)).toString('base64')));
}

const storeIn = (folder: string): readonly string[] => ['--store', pathToFileURL(folder).href];

const THREE = { models: ['tiny-sd1'], prompts: ['a cat'], seeds: [1, 2, 3], options: SMALL };

describe('a batch that is killed', () => {
  it('goes on on another machine with the same bytes, makes at most one image again and leaves nothing', async () => {
    const file = await batchFile(THREE);
    const [calm, notes] = [await temporaryFolder(), join(await temporaryFolder(), 'calls')];
    await writeFile(notes, '');
    const counting = { NODE_OPTIONS: `--require ${DIE_AT_CALL}`, DIE_IN: calm, DIE_COUNT: notes };
    const expected = await bytesOf(resultOf(await batch(here, [file, ...storeIn(calm)], counting)));
    const calls = (await readFile(notes, 'utf8')).length;
    expect(calls).toBeGreaterThan(5 * DEATHS);
    let unfinished = 0;
    for (let death = 0; death < DEATHS; death += 1) {
      const at = 1 + Math.round((death * (calls - 1)) / DEATHS);
      const folder = await temporaryFolder();
      await rm(join(there, 'images'), { recursive: true, force: true });
      const before = (await engine.runs()).length;
      const dying = { NODE_OPTIONS: `--require ${DIE_AT_CALL}`, DIE_IN: folder, DIE_AT: String(at) };
      const killed = await batch(here, [file, ...storeIn(folder)], dying);
      expect(killed.signal, `at call ${at}: ${killed.err}`).toBe('SIGKILL');
      const resumed = await batch(there, [file, ...storeIn(folder), '--resume']);
      const isNew = resumed.out.includes('"checkpoint-missing"');
      const result = resultOf(isNew ? await batch(there, [file, ...storeIn(folder)]) : resumed);
      const isOver = result.made === 0 && result.images.length < 3;
      if (!isOver) expect(await bytesOf(result), `after call ${at}`).toEqual(expected);
      if (!isOver && !isNew) unfinished += 1;
      expect((await engine.runs()).length - before, `runs, killed at call ${at}`).toBeLessThanOrEqual(4);
      expect(await filesBelow(folder), `files, killed at call ${at}`).toEqual([]);
    }
    expect(unfinished).toBeGreaterThan(DEATHS / 2);
  }, 240_000);

  it('three times by the same item goes on without it', async () => {
    const poison = await engineScript({
      during: `if (process.argv.includes('poison')) process.kill(process.ppid, 'SIGKILL');`
    });
    const file = await batchFile({ ...THREE, prompts: ['a cat', 'poison', 'a dog'], seeds: [1] });
    const words = [file, ...storeIn(await temporaryFolder())];
    const environment = { DIFFUSION_DOCK_SD_CLI: poison };
    for (let death = 0; death < 3; death += 1) {
      const { signal } = await batch(
        death % 2 === 0 ? here : there,
        death === 0 ? words : [...words, '--resume'],
        environment
      );
      expect(signal).toBe('SIGKILL');
    }
    const { status, out } = await batch(there, [...words, '--resume'], environment);
    expect(status).toBe(1);
    const result = JSON.parse(out.trim().split('\n').at(-1) ?? '') as BatchResult;
    expect(result.images).toHaveLength(2);
    expect(result.failed).toMatchObject([{ item: 2, failure: { code: 'engine-failed' } }]);
  }, 120_000);

  it('by Ctrl-C ends with 130, says how it goes on, and counts no attempt', async () => {
    const slow = await engineScript({ before: `process.env.SD_CLI_STAND_IN_SPEED = '1';` });
    const file = await batchFile({ ...THREE, options: { ...SMALL, steps: 20 } });
    const words = [file, ...storeIn(await temporaryFolder())];
    const environment = { DIFFUSION_DOCK_SD_CLI: slow };
    for (let time = 0; time < 4; time += 1) {
      const resume = time === 0 ? [] : ['--resume'];
      const { child, ended } = startCli(['batch', ...words, ...resume, '--json'], { home: here, environment });
      child.stdout?.once('data', () => child.kill('SIGINT'));
      const { status, out } = await ended;
      expect(status).toBe(130);
      expect(out).toContain('The batch job was stopped after 0 of 3 images.');
      expect(out).toContain('Resume the batch');
    }
    expect(await bytesOf(resultOf(await batch(here, [...words, '--resume'])))).toHaveLength(3);
  }, 120_000);
});

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Registry } from '../../server/registry/registry';
import { CacheLayout } from '../../server/store/cache-layout';
import { collectBlobs } from '../../server/store/collect-blobs';
import { recover } from '../../server/store/recovery';
import { WORKER_SCRIPT } from '../support/built-worker';
import { problemsIn } from '../support/history/check-history';
import { type HistoryLine, historyFiles, MODEL_NAMES, writeSources } from '../support/history/history';
import { readWhole } from '../support/history/read-whole';
import { memoryFolder } from '../support/memory-folder';
import { digestOf, leftovers } from '../support/sample-bundle';
import { bundleScript, ScriptProcess } from '../support/script-process';

/** How many processes work on one cache; DIFFUSION_DOCK_TEST_PROCESSES asks for more, which then do more each. */
const PROCESSES = Number(process.env['DIFFUSION_DOCK_TEST_PROCESSES'] ?? 8);
const DEEDS = PROCESSES > 8 ? 60 : 40;

// Folders are held open by way of /proc.
it.runIf(process.platform === 'linux')(
  'shows whole bundles, loses no edit and keeps what is used while many processes change a cache at random',
  { timeout: 120_000 + PROCESSES * DEEDS * 200 },
  async () => {
    const folder = await memoryFolder();
    const layout = new CacheLayout(join(folder, 'root'));
    await writeSources(folder);
    const history = await workTogether(folder);
    expect(problemsIn(history)).toEqual([]);
    expect(history.some(({ saw }) => typeof saw === 'number')).toBe(true);

    const now = String(process.hrtime.bigint());
    const found = await Promise.all(MODEL_NAMES.map((model) => readWhole(join(layout.models, model))));
    const looks = MODEL_NAMES.map((model, index) => ({
      kind: 'read' as const,
      model,
      saw: found[index]!,
      from: now,
      to: now
    }));
    expect(problemsIn([...history, ...looks])).toEqual([]);

    expect(await editsIn(layout)).toEqual(keptEdits(history));
    await recover(layout);
    expect((await leftovers(layout)).filter((entry) => !entry.includes('~'))).toEqual([]);
    await collectBlobs(layout, { dryRun: false, alsoUsed: async () => new Set() });
    expect(await storedBlobs(layout)).toEqual(
      [
        ...new Set(
          found.flatMap((version, index) =>
            typeof version === 'number' ? [...historyFiles(MODEL_NAMES[index]!, version).values()].map(digestOf) : []
          )
        )
      ].toSorted()
    );
  }
);

async function workTogether(folder: string): Promise<HistoryLine[]> {
  const scripts = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  try {
    const script = await bundleScript('history-script.ts', scripts);
    const children = Array.from({ length: PROCESSES }, (_, index) => {
      const facts = { folder, worker: WORKER_SCRIPT, seed: String(index + 1), count: String(DEEDS) };
      return new ScriptProcess(
        script,
        Object.entries(facts).flatMap(([name, value]) => [`--${name}`, value])
      );
    });
    const ends = await Promise.all(children.map(({ ended }) => ended));
    expect(ends.map(({ code }) => code)).toEqual(children.map(() => 0));
    const history = children.flatMap(({ lines }) => lines.map((line): HistoryLine => JSON.parse(line)));
    expect(history).toHaveLength(PROCESSES * DEEDS);
    return history;
  } finally {
    await rm(scripts, { recursive: true });
  }
}

const keptEdits = (history: readonly HistoryLine[]) =>
  history.flatMap(({ model = '', isKept }) => (isKept ? [model] : [])).toSorted();

async function editsIn(layout: CacheLayout): Promise<string[]> {
  const names = (await new Registry(layout.registry).read()).map(({ manifest }) => manifest.name);
  return names.filter((name) => name.startsWith('edit-')).toSorted();
}

async function storedBlobs(layout: CacheLayout): Promise<string[]> {
  const folders = await readdir(layout.blobs);
  const names = await Promise.all(folders.map((name) => readdir(join(layout.blobs, name))));
  return names.flat().toSorted();
}

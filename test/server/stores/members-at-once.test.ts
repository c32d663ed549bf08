import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import {
  FILES,
  fetchTiny,
  filesBelow,
  installedFiles,
  member,
  memberWith,
  publish,
  sharedFolder
} from '../../support/artifacts/team';
import { WORKER_SCRIPT } from '../../support/built-worker';
import { problemsIn } from '../../support/history/check-history';
import { type HistoryLine, VERSIONS, writeSources } from '../../support/history/history';
import { bundleScript, ScriptProcess } from '../../support/script-process';
import { temporaryFolder } from '../../support/temporary-folder';

let script: string;

beforeAll(async () => {
  const scripts = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  script = await bundleScript('team-script.ts', scripts);
  return () => rm(scripts, { recursive: true });
});

const PROCESSES = 4;
const MEMBERS = 4;
const COUNT = 5;

it.skipIf(process.platform !== 'linux')(
  'whoever fetches while others publish gets a version that was published at some moment meanwhile, whole',
  { timeout: 240_000 },
  async () => {
    const folder = await temporaryFolder();
    await writeSources(folder);
    const store = await sharedFolder();
    // Somebody has published before.
    const first = new ScriptProcess(script, wordsFor(folder, store.url, { seed: 99, members: 1, count: 1 }));
    expect(await first.ended).toEqual({ code: 0, signal: null });
    const processes = Array.from(
      { length: PROCESSES },
      (_, seed) => new ScriptProcess(script, wordsFor(folder, store.url, { seed, members: MEMBERS, count: COUNT }))
    );
    await Promise.all(processes.map(({ ended }) => ended));
    const history = [first, ...processes].flatMap(({ lines }) => lines.map((line): HistoryLine => JSON.parse(line)));
    expect(history).toHaveLength(1 + PROCESSES * MEMBERS * COUNT);
    expect(problemsIn(history)).toEqual([]);
    const seen = new Set(history.flatMap(({ kind, saw }) => (kind === 'read' ? [saw] : [])));
    expect([...VERSIONS]).toEqual(expect.arrayContaining([...seen]));
  }
);

function wordsFor(
  folder: string,
  store: string,
  numbers: Readonly<Record<'seed' | 'members' | 'count', number>>
): string[] {
  const words = { folder, store, worker: WORKER_SCRIPT, ...numbers };
  return ['work', ...Object.entries(words).flatMap(([name, value]) => [`--${name}`, String(value)])];
}

it('one who fetches twice at once has the model once, whole', async () => {
  const store = await sharedFolder();
  await publish(await memberWith(), store.url);
  const reader = await member();
  const others = await Promise.all(Array.from({ length: 8 }, () => member({ root: reader.root })));
  await Promise.all(others.map((other) => fetchTiny(other, store.url)));
  expect(await installedFiles(reader)).toEqual(FILES);
  const [combined = '', ...more] = Object.keys(await filesBelow(join(reader.root, 'fetched'))).map(
    (path) => path.split('/')[0]
  );
  expect(new Set([combined, ...more]).size).toBe(1);
});

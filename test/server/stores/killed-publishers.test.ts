import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import {
  FILES,
  fetchTiny,
  install,
  installedFiles,
  member,
  memberWith,
  publish,
  sharedFolder
} from '../../support/artifacts/team';
import { WORKER_SCRIPT } from '../../support/built-worker';
import { bundleScript, ScriptProcess } from '../../support/script-process';
import { temporaryFolder } from '../../support/temporary-folder';

const NEW = { ...FILES, 'first.gguf': 'a better decoder' };

/** How many processes die side by side. */
const LANES = 3;

let script: string;

beforeAll(async () => {
  const scripts = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  script = await bundleScript('team-script.ts', scripts);
  return () => rm(scripts, { recursive: true });
});

it('readers have the old or the new, whole, at whichever change of the disk a publisher is killed', {
  timeout: 240_000
}, async () => {
  const { url, path } = await sharedFolder();
  const publisher = await memberWith();
  await publish(publisher, url);
  await install(publisher, NEW);
  const stores = await temporaryFolder();
  const seen = new Set<string>();
  let next = 1;
  let isOver = false;
  const lane = async (): Promise<void> => {
    while (!isOver) {
      const die = next;
      next += 1;
      const store = join(stores, String(die));
      await cp(path, store, { recursive: true });
      const words = ['publish', '--home', publisher.root, '--store', pathToFileURL(store).href];
      const { signal } = await new ScriptProcess(script, [...words, '--worker', WORKER_SCRIPT, '--die', String(die)])
        .ended;
      isOver ||= signal === null;
      const reader = await member();
      await fetchTiny(reader, pathToFileURL(store).href);
      const files = await installedFiles(reader);
      expect([FILES, NEW]).toContainEqual(files);
      seen.add(JSON.stringify(files));
      // Whoever comes next is not held up, and nothing that is half stays in the way.
      expect(await publish(reader, pathToFileURL(store).href)).toMatchObject({ isUnchanged: true });
      await rm(store, { recursive: true });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  expect(seen.size).toBe(2);
  expect(next).toBeGreaterThan(30);
});

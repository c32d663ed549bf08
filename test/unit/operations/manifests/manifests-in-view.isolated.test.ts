import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ManifestsInView } from '../../../../server/operations/manifests/manifests-in-view';
import { temporaryFolder } from '../../../support/temporary-folder';

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return { ...real, readFile: vi.fn(real.readFile), stat: vi.fn(real.stat) };
});

function inView() {
  const told: unknown[] = [];
  const tell = (text: string, fields = {}): void => void told.push({ text, ...fields });
  return { told, manifests: new ManifestsInView({ info: tell, warn: tell, error: tell }) };
}

/** Writes manifests of one name. @param revisions what tells them apart */
async function namesakes(revisions: readonly string[]): Promise<string[]> {
  const folder = await temporaryFolder();
  const files = [{ role: 'model', url: 'https://example.com/a.gguf', filename: 'a.gguf' }];
  return Promise.all(
    revisions.map(async (revision, index) => {
      const path = join(folder, `${String(index).padStart(4, '0')}.manifest.json`);
      await writeFile(path, JSON.stringify({ name: 'same', revision, files }));
      return path;
    })
  );
}

describe('manifests with one name', () => {
  it('are told how many others say something else, and the first of these alone', async () => {
    const [a, b, c, d] = await namesakes(['x', 'x', 'y', 'z']);
    const { manifests } = inView();
    manifests.set([d, c, b, a].flatMap((path) => path ?? []));
    expect(await manifests.survey()).toMatchObject([
      { path: a, namesakes: { count: 2, first: c } },
      { path: b, namesakes: { count: 2, first: c } },
      { path: c, namesakes: { count: 3, first: a } },
      { path: d, namesakes: { count: 3, first: a } }
    ]);
    expect(await manifests.namesakesOf(c ?? '')).toEqual({ count: 3, first: a });
  });

  it('are nobody’s namesakes when all say the same', async () => {
    const paths = await namesakes(['x', 'x']);
    const { manifests } = inView();
    manifests.set(paths);
    expect(await manifests.namesakesOf(paths[0] ?? '')).toBeUndefined();
  });

  it('are looked for again when somebody says that files changed, and not with every question', async () => {
    const [first = '', second = ''] = await namesakes(['x', 'y']);
    const { manifests } = inView();
    manifests.set([first, second]);
    expect(await manifests.recentNamesakesOf(first)).toEqual({ count: 1, first: second });
    await rm(second);
    expect(await manifests.recentNamesakesOf(first)).toEqual({ count: 1, first: second });
    manifests.set([first, second]);
    expect(await manifests.recentNamesakesOf(first)).toBeUndefined();
  });

  it('are not looked for where there is one manifest', async () => {
    const [only = ''] = await namesakes(['x']);
    const { manifests } = inView();
    manifests.set([only]);
    vi.mocked(stat).mockClear();
    expect(await manifests.recentNamesakesOf(only)).toBeUndefined();
    expect(stat).not.toHaveBeenCalled();
  });

  it('take as much room as others, however many there are', async () => {
    const paths = await namesakes(Array.from({ length: 400 }, (_, index) => `r${index}`));
    const { manifests } = inView();
    manifests.set(paths);
    const survey = await manifests.survey();
    const pathsTold = JSON.stringify(survey).split('.manifest.json').length - 1;
    expect(pathsTold).toBe(2 * paths.length);
  });
});

it('reads many manifests a few at a time', async () => {
  const paths = await namesakes(Array.from({ length: 100 }, (_, index) => `r${index}`));
  const { manifests } = inView();
  manifests.set(paths);
  let [underWay, most] = [0, 0];
  const real = vi.mocked(readFile).getMockImplementation();
  vi.mocked(readFile).mockImplementation(async (...request) => {
    most = Math.max(most, (underWay += 1));
    const text = await real?.(...request);
    underWay -= 1;
    return text ?? '';
  });
  expect(await manifests.survey()).toHaveLength(100);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(16);
});

it('looks at so many candidates as a workspace may have, the first by path, and says once that there are more', () => {
  const paths = Array.from({ length: 2500 }, (_, index) => `/w/${String(index).padStart(4, '0')}.manifest.json`);
  const { manifests, told } = inView();
  manifests.set(paths.toReversed());
  manifests.set(paths);
  expect(manifests.candidates).toEqual(paths.slice(0, 2000));
  expect(told).toEqual([{ text: 'not all manifests are looked at', manifests: 2500, lookedAt: 2000 }]);
});

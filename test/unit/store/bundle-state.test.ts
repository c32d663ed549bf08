import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { assessBundleFolder, type BundleState } from '../../../server/store/bundle-state';
import { CacheLayout } from '../../../server/store/cache-layout';
import { withoutRights } from '../../support/rights';
import { digestOf, sampleBundle, snapshot } from '../../support/sample-bundle';
import { temporaryFolder } from '../../support/temporary-folder';

const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

let folder: string;

beforeEach(async () => {
  folder = join(await temporaryFolder(), 'model');
  await mkdir(folder);
  await writeFile(join(folder, 'a.gguf'), 'hello');
  await listFiles([{ path: 'a.gguf' }]);
});

/** Writes a manifest that lists files, each of them “hello” unless told otherwise. */
async function listFiles(files: readonly Record<string, unknown>[], fields: Record<string, unknown> = {}) {
  const { manifest } = sampleBundle(new CacheLayout(folder), 0);
  const listed = files.map((file) => ({ sha256: HELLO, size_bytes: 5, ...file }));
  await writeManifest(JSON.stringify({ ...manifest, files: listed, ...fields }));
}

const writeManifest = (text: string | Uint8Array) => writeFile(join(folder, 'manifest.json'), text);

/** What is wrong with the bundle, looked at without changing anything. */
async function problems(): Promise<string[]> {
  const before = await snapshot(folder);
  const state = await assessBundleFolder(folder);
  expect(await snapshot(folder)).toEqual(before);
  return problemsIn(state);
}

function problemsIn(state: BundleState): string[] {
  switch (state.kind) {
    case 'absent':
      return ['absent'];
    case 'unreadable':
      return [`unreadable: ${state.problem}`];
    case 'present':
      return [...state.problems];
  }
}

it('finds nothing wrong with a complete bundle', async () => {
  expect(await assessBundleFolder(folder)).toMatchObject({
    kind: 'present',
    manifest: { files: [{ path: 'a.gguf' }] },
    files: [{ file: { path: 'a.gguf' }, problem: undefined }],
    extras: [],
    problems: []
  });
});

it('tells which of very many files are not as they should be', async () => {
  const paths = Array.from({ length: 700 }, (_, index) => `part-${index}.gguf`);
  await rm(join(folder, 'a.gguf'));
  for (const path of paths) await writeFile(join(folder, path), 'hello');
  await listFiles(paths.map((path) => ({ path })));
  await rm(join(folder, 'part-300.gguf'));
  await truncate(join(folder, 'part-600.gguf'), 4);
  expect(await problems()).toEqual(['part-300.gguf is missing.', 'part-600.gguf has 4 bytes instead of 5.']);
});

it('tells a manifest of a later format from a broken one', async () => {
  await writeManifest(JSON.stringify({ $schema: 'x/diffusion-dock.installed.v2.schema.json', parts: [] }));
  expect(await problems()).toEqual([expect.stringMatching(/^unreadable: manifest\.json needs a newer version/)]);
});

it('says what is known of the bytes: damaged, or right and since when', async () => {
  const damaged = await assessBundleFolder(folder, {
    find: () => ({ digest: digestOf(Buffer.from('HELLO')), readAt: 5 })
  });
  expect(problemsIn(damaged)).toEqual([
    expect.stringMatching(/^a\.gguf is damaged: its SHA-256 is .* instead of 2cf2/)
  ]);
  const right = await assessBundleFolder(folder, {
    find: () => ({ digest: digestOf(Buffer.from('hello')), readAt: 5 })
  });
  expect(right).toMatchObject({ problems: [], files: [{ provedAt: 5 }] });
});

it('does not count as installed what lies elsewhere, behind a link', async () => {
  await rename(folder, `${folder}-elsewhere`);
  await symlink(`${folder}-elsewhere`, folder);
  expect(problemsIn(await assessBundleFolder(folder))).toEqual([
    "unreadable: The folder is a link that leaves the models' folder."
  ]);
});

describe('what may not be looked at', () => {
  it.runIf(process.platform !== 'win32')('is not taken for damage', async () => {
    await mkdir(join(folder, 'vae'));
    await writeFile(join(folder, 'vae', 'a.gguf'), 'hello');
    await listFiles([{ path: 'a.gguf' }, { path: 'vae/a.gguf' }]);
    await chmod(join(folder, 'vae'), 0o644);
    const files = [{}, { problem: 'cannot be read', isInaccessible: true }];
    expect(await withoutRights(folder, () => assessBundleFolder(folder))).toMatchObject({ kind: 'present', files });
    await chmod(join(folder, 'manifest.json'), 0);
    const unreadable = { kind: 'unreadable', problem: 'manifest.json cannot be read.', why: 'inaccessible' };
    expect(await withoutRights(folder, () => assessBundleFolder(folder))).toEqual(unreadable);
    await chmod(folder, 0);
    expect(await withoutRights(folder, () => assessBundleFolder(folder))).toMatchObject({ why: 'inaccessible' });
    await chmod(folder, 0o755);
    await chmod(join(folder, 'vae'), 0o755);
  });
});

it('finds nothing wrong with files in sub-folders', async () => {
  await mkdir(join(folder, 'vae'));
  await writeFile(join(folder, 'vae', 'a.gguf'), 'hello');
  await listFiles([{ path: 'a.gguf' }, { path: 'vae/a.gguf' }]);
  expect(await problems()).toEqual([]);
});

it.each([
  ['nothing', async () => undefined],
  ['a file', () => writeFile(folder, '')],
  ['a dangling link', () => symlink('nowhere', folder)]
])('is absent where %s lies at its place', async (_, put) => {
  await rm(folder, { recursive: true });
  await put();
  expect(await assessBundleFolder(folder)).toEqual({ kind: 'absent' });
});

const weights = () => join(folder, 'a.gguf');

describe('a file of the bundle is reported', () => {
  it.each<[string, string, () => Promise<unknown>]>([
    ['missing', 'is missing', async () => undefined],
    ['too short', 'has 4 bytes instead of 5', () => writeFile(weights(), 'hell')],
    ['too long', 'has 6 bytes instead of 5', () => writeFile(weights(), 'hello!')],
    ['empty', 'has 0 bytes instead of 5', () => writeFile(weights(), '')],
    ['a folder', 'is not a file', () => mkdir(weights())],
    ['a link to the right bytes outside', 'is a symbolic link', () => symlink('../outside', weights())],
    ['a dangling link', 'is a symbolic link', () => symlink('nowhere', weights())],
    ['a link to itself', 'is a symbolic link', () => symlink('a.gguf', weights())]
  ])('when it is %s', async (_, problem, put) => {
    await writeFile(join(folder, '..', 'outside'), 'hello');
    await rm(weights());
    await put();
    expect(await problems()).toEqual([`a.gguf ${problem}.`]);
  });

  it.runIf(process.platform !== 'win32')('when it is a pipe, without waiting for its other end', async () => {
    await rm(weights());
    execFileSync('mkfifo', [weights()]);
    expect(await problems()).toEqual(['a.gguf is not a file.']);
  });

  it('when its folder is a link that leads out of the bundle', async () => {
    await mkdir(join(folder, '..', 'outside'));
    await writeFile(join(folder, '..', 'outside', 'b.gguf'), 'hello');
    await symlink('../outside', join(folder, 'sub'));
    await listFiles([{ path: 'a.gguf' }, { path: 'sub/b.gguf' }]);
    expect(await problems()).toEqual([
      "sub/b.gguf lies behind sub, which is a link that leaves the model's folder.",
      "sub is a link that leaves the model's folder."
    ]);
  });

  it('when a part of its path is a file', async () => {
    await listFiles([{ path: 'a.gguf' }, { path: 'a.gguf/b' }]);
    expect(await problems()).toEqual(['a.gguf/b is missing.']);
  });
});

describe('an extra file is reported', () => {
  it.each(['b.gguf', '.hidden', 'manifest.json.bak', 'A.gguf'])('named %s', async (name) => {
    await writeFile(join(folder, name), '');
    expect(await problems()).toEqual([`${name} does not belong to the model.`]);
  });

  it('in a sub-folder, even one called like a file of ours', async () => {
    await mkdir(join(folder, 'sub', 'deeper'), { recursive: true });
    await writeFile(join(folder, 'sub', 'manifest.json'), '');
    await writeFile(join(folder, 'sub', 'deeper', 'a.gguf'), '');
    expect((await problems()).toSorted()).toEqual([
      'sub/deeper/a.gguf does not belong to the model.',
      'sub/manifest.json does not belong to the model.'
    ]);
  });

  it.runIf(process.platform !== 'win32')('whose backslash only looks like a separator', async () => {
    await mkdir(join(folder, 'vae'));
    await writeFile(join(folder, 'vae', 'a.gguf'), 'hello');
    await writeFile(join(folder, 'vae\\a.gguf'), '');
    await listFiles([{ path: 'a.gguf' }, { path: 'vae/a.gguf' }]);
    expect(await problems()).toEqual(['vae\\a.gguf does not belong to the model.']);
  });
});

describe('a manifest cannot be used', () => {
  const schema = /^unreadable: manifest\.json does not follow the schema: /;

  it.each([
    '../x',
    'a/../../x',
    '..',
    '.',
    '',
    '/etc/passwd',
    'C:x',
    'C:\\x',
    '..\\x',
    '\\\\server\\share',
    'a:b',
    'a//b',
    'a/./b',
    'manifest.json',
    'x/',
    'nul.txt',
    'x\0y',
    '.git'
  ])('that lists %j', async (path) => {
    await listFiles([{ path }]);
    expect(await problems()).toEqual([expect.stringMatching(schema)]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['a short digest', { sha256: HELLO.slice(1) }],
    ['no digest', { sha256: undefined }],
    ['a negative size', { size_bytes: -1 }],
    ['half a byte', { size_bytes: 1.5 }],
    ['a size that is no exact number', { size_bytes: 2 ** 53 + 2 }],
    ['a size as a text', { size_bytes: '5' }]
  ])('that lists a file with %s', async (_, fields) => {
    await listFiles([{ path: 'a.gguf', ...fields }]);
    expect(await problems()).toEqual([expect.stringMatching(schema)]);
  });

  it.each(['a.gguf', 'A.GGUF'])('that lists a.gguf again as %s, whatever its digest', async (path) => {
    await listFiles([{ path: 'a.gguf' }, { path, sha256: HELLO.replaceAll('2', '3') }]);
    expect(await problems()).toEqual([`unreadable: manifest.json lists ${path} more than once.`]);
  });

  it.each(['', '{', 'null x', '\u{feff}{}', '[1,'])('that is the text %j', async (text) => {
    await writeManifest(text);
    expect(await problems()).toEqual(['unreadable: manifest.json is not JSON.']);
  });

  it.each(['null', '[]', '{}', '7', '"x"', `${'['.repeat(100_000)}${']'.repeat(100_000)}`])(
    'that is the wrong JSON (case %#)',
    async (text) => {
      await writeManifest(text);
      expect(await problems()).toEqual([expect.stringMatching(schema)]);
    }
  );

  it('whose fields hide behind __proto__', async () => {
    const { manifest } = sampleBundle(new CacheLayout(folder), 0);
    await writeManifest(`{"__proto__":${JSON.stringify(manifest)}}`);
    expect(await problems()).toEqual([expect.stringMatching(schema)]);
    expect(Object.hasOwn(Object.prototype, 'files')).toBe(false);
  });

  it('that is larger than any of ours', async () => {
    await truncate(join(folder, 'manifest.json'), 8 * 1024 * 1024 + 1);
    expect(await problems()).toEqual(['unreadable: manifest.json is too large to be ours.']);
  });

  it('that is missing', async () => {
    await rm(join(folder, 'manifest.json'));
    expect(await problems()).toEqual(['unreadable: manifest.json is missing.']);
  });

  it('that is a link, even to a good one', async () => {
    const { manifest } = sampleBundle(new CacheLayout(folder), 0);
    await writeFile(join(folder, '..', 'good.json'), JSON.stringify(manifest));
    await rm(join(folder, 'manifest.json'));
    await symlink('../good.json', join(folder, 'manifest.json'));
    expect(await problems()).toEqual(['unreadable: manifest.json is not a file.']);
  });

  it('that is a folder', async () => {
    await rm(join(folder, 'manifest.json'));
    await mkdir(join(folder, 'manifest.json'));
    expect(await problems()).toEqual(['unreadable: manifest.json is not a file.']);
  });

  it.runIf(process.platform !== 'win32')('that is a pipe, and is not waited for', async () => {
    await rm(join(folder, 'manifest.json'));
    execFileSync('mkfifo', [join(folder, 'manifest.json')]);
    expect(await problems()).toEqual(['unreadable: manifest.json is not a file.']);
  });
});

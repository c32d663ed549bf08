import { chmod, link, lstat, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Hasher } from '../../../server/platform/hasher';
import { proofLine } from '../../../server/store/proof-log';
import { Proofs } from '../../../server/store/proofs';
import { readDigest } from '../../../server/store/read-digest';
import type { Digest } from '../../../shared/digest';
import { digestOf } from '../../support/sample-bundle';
import { temporaryFolder } from '../../support/temporary-folder';

const { signal } = new AbortController();

/** What a file changed a while ago looks like to a reader: its own clock is ahead by this. */
const LATER_MS = 60_000;

let folder: string;
let file: string;
let proofs: Proofs;
let reads: number;

const later = () => Date.now() + LATER_MS;

beforeEach(async () => {
  folder = join(await temporaryFolder(), 'proofs');
  file = join(await temporaryFolder(), 'weights.gguf');
  await writeFile(file, 'weights');
  proofs = new Proofs(folder, later);
  reads = 0;
});

/** Hashes as the product does, and counts; `during` happens in the middle. */
function hasher(during: () => Promise<unknown> = async () => undefined): Hasher {
  return {
    async hash(path) {
      reads += 1;
      const bytes = await readFile(path);
      await during();
      return { digest: digestOf(bytes), bytes: bytes.length };
    },
    hashForGit: () => {
      throw new Error('nothing is named by git here');
    },
    follow: () => {
      throw new Error('nothing grows here');
    }
  };
}

const read = (known = proofs, options = {}) =>
  readDigest(file, { hasher: hasher(), proofs: known, signal, ...options });

describe('a file that was read', () => {
  it('is not read again while it stays as it is, and says when it was', async () => {
    const first = await read();
    const second = await read();
    expect(first).toMatchObject({ digest: digestOf(Buffer.from('weights')), bytes: 7, isRemembered: false });
    expect(second).toEqual({ ...first, isRemembered: true });
    expect(reads).toBe(1);
  });

  it('is read again when that is asked for', async () => {
    await read();
    await read(proofs, { force: true });
    expect(reads).toBe(2);
  });

  const changes: [string, () => Promise<unknown>][] = [
    ['other bytes of the same length', () => writeFile(file, 'WEIGHTS')],
    ['another length', () => writeFile(file, 'weight')],
    [
      'other bytes and its old times',
      async () => {
        const { atime, mtime } = await stat(file);
        await writeFile(file, 'WEIGHTS');
        await utimes(file, atime, mtime);
      }
    ],
    [
      'another file in its place',
      async () => {
        await rm(file);
        await writeFile(file, 'weights');
      }
    ],
    ['another mode, for that may hide a change', () => chmod(file, 0o400)],
    ['another name beside its own, for that may hide a change', () => link(file, `${file}.other`)]
  ];

  it.each(changes)('is read again after it got %s', async (_, change) => {
    await read();
    await change();
    const again = await read();
    expect(again).toMatchObject({ digest: digestOf(await readFile(file)), isRemembered: false });
    expect(reads).toBe(2);
  });

  it('is not remembered when it changed while it was read', async () => {
    const during = hasher(() => writeFile(file, 'WEIGHTS'));
    await readDigest(file, { hasher: during, proofs, signal });
    expect(await read()).toMatchObject({ digest: digestOf(Buffer.from('WEIGHTS')), isRemembered: false });
  });

  it('is not remembered when it vanished while it was read', async () => {
    await readDigest(file, { hasher: hasher(() => rm(file)), proofs, signal });
    await expect(read()).rejects.toThrow('ENOENT');
  });

  it.each([
    ['just before', () => Date.now()],
    ['in the future of a clock that was set back', () => Date.now() - 400 * 24 * 3600 * 1000]
  ])('is not remembered when it was changed %s, within one tick of the file system', async (_, now) => {
    const early = new Proofs(folder, now);
    await read(early);
    expect((await read(early)).isRemembered).toBe(false);
  });

  it('is remembered with the digest that it has, whatever was expected', async () => {
    await writeFile(file, 'damaged');
    await read();
    expect(proofs.find(await lstat(file, { bigint: true }))?.digest).toBe(digestOf(Buffer.from('damaged')));
  });
});

const otherName = () => `${file}.other`;

describe('our own link, unlink or mode', () => {
  const ours: [string, () => Promise<unknown>][] = [
    ['link', () => link(file, otherName())],
    ['mode', () => chmod(file, 0o444)],
    ['unlink', () => rm(otherName())]
  ];

  it.each(ours)('keeps what is known: %s', async (name, change) => {
    if (name === 'unlink') await link(file, otherName());
    await read();
    await proofs.keepThrough([file], change);
    expect((await read()).isRemembered).toBe(true);
    const restarted = new Proofs(folder, later);
    await restarted.refresh();
    expect((await read(restarted)).isRemembered).toBe(true);
  });

  it('keeps it even when the change fails half-way', async () => {
    await read();
    const failing = proofs.keepThrough([file], async () => {
      await chmod(file, 0o444);
      throw new Error('half-way');
    });
    await expect(failing).rejects.toThrow('half-way');
    expect((await read()).isRemembered).toBe(true);
  });

  it('proves nothing of a file that was not known before', async () => {
    await proofs.keepThrough([file], () => chmod(file, 0o444));
    expect((await read()).isRemembered).toBe(false);
  });

  it('proves nothing of bytes that somebody wrote meanwhile', async () => {
    await read();
    await proofs.keepThrough([file], () => writeFile(file, 'WEIGHTS'));
    expect((await read()).isRemembered).toBe(false);
  });
});

const logs = async () => (await readdir(folder)).map((name) => join(folder, name));

async function fresh(): Promise<Proofs> {
  const restarted = new Proofs(folder, later);
  await restarted.refresh();
  return restarted;
}

describe('the logs', () => {
  it('of all processes are read by each, also what was written since', async () => {
    const other = new Proofs(folder, later);
    await other.refresh();
    await read();
    await other.refresh();
    expect((await read(other)).isRemembered).toBe(true);
  });

  it('lose nothing but what was torn or spliced', async () => {
    await read();
    const [log = ''] = await logs();
    const line = await readFile(log, 'utf8');
    const damaged = [
      line.slice(0, 60),
      `${line.slice(0, 90)}${line.slice(100)}`,
      line.replace(/"[0-9a-f]{64}"/, `"${'0'.repeat(64)}"`),
      '\0'.repeat(4096),
      'ffffffff {}'
    ];
    for (const text of damaged) {
      await writeFile(log, `${text}\n`);
      expect((await fresh()).find(await lstat(file, { bigint: true }))).toBeUndefined();
      await writeFile(log, `${text}\n${line}`);
      expect((await fresh()).find(await lstat(file, { bigint: true }))).toBeDefined();
    }
  });

  it('take the later of two readings of one state', async () => {
    const stamp = await lstat(file, { bigint: true });
    const entry = (digest: Digest, readAt: number) => proofLine({ stamp, path: file, digest, readAt });
    const [sound, rotten] = [digestOf(Buffer.from('sound')), digestOf(Buffer.from('rotten'))];
    await mkdir(folder);
    await writeFile(join(folder, 'a.proofs'), entry(rotten, 2));
    await writeFile(join(folder, 'b.proofs'), entry(sound, 1));
    expect((await fresh()).find(stamp)?.digest).toBe(rotten);
  });

  it('that the disk does not take are done without', async () => {
    await writeFile(folder, 'a file in the place of the folder');
    expect((await read()).isRemembered).toBe(false);
    expect((await read()).isRemembered).toBe(true);
  });

  it('of dead processes are put into one, without what no file is like any more', async () => {
    await mkdir(folder);
    const stamp = await lstat(file, { bigint: true });
    const digest = digestOf(Buffer.from('weights'));
    const gone = { ...stamp, ino: stamp.ino + 1n };
    for (let index = 0; index < 12; index += 1) {
      const lines = [
        proofLine({ stamp, path: file, digest, readAt: index }),
        proofLine({ stamp: gone, path: `${file}.gone`, digest, readAt: index })
      ];
      await writeFile(join(folder, `dead-${index}.proofs`), lines.join(''));
    }
    const collected = await proofs.collect();
    expect(collected.entries).toBe(1);
    expect(collected.bytes).toBeGreaterThan(0);
    expect(await logs()).toHaveLength(1);
    const after = await fresh();
    expect(after.find(stamp)).toMatchObject({ digest, readAt: 11 });
    expect(after.find(gone)).toBeUndefined();
  });

  it('of living processes are left alone', async () => {
    await read(new Proofs(folder, later));
    const [log] = await logs();
    await proofs.collect({ force: true });
    expect(await logs()).toContain(log);
  });

  it('stay bounded however often one file is read', async () => {
    const stamp = await lstat(file, { bigint: true });
    const digest = digestOf(Buffer.from('weights'));
    const rounds = Array.from({ length: 21_000 }, (_, readAt) => proofs.remember(file, stamp, { digest, readAt }));
    await Promise.all(rounds);
    const sizes = await Promise.all((await logs()).map(async (log) => (await stat(log)).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1_000_000);
    expect((await fresh()).find(stamp)).toBeDefined();
  });
});

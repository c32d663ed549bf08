import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { unpackArchive } from '../../../../server/engine/install/unpack-archive';
import { linkEntry, type ZipEntry, zipFile } from '../../../support/engine/zip-file';
import { temporaryFolder } from '../../../support/temporary-folder';

const GOOD: readonly ZipEntry[] = [
  { name: 'sd-cli', content: 'program '.repeat(50), mode: 0o100755 },
  { name: 'libstable-diffusion.so', content: 'library' }
];

async function unpack(bytes: Buffer, more: { signal?: AbortSignal; free?: number } = {}) {
  const home = await temporaryFolder();
  const [archive, folder] = [join(home, 'archive'), join(home, 'to', 'here')];
  await writeFile(archive, bytes);
  await mkdir(folder, { recursive: true });
  const { signal = new AbortController().signal, free } = more;
  const unpacking = unpackArchive({ archive, name: 'build.zip', folder, freeBytes: async () => free, signal });
  return { home, folder, unpacking };
}

/** Archives that must not be installed, by what is wrong with them. */
const REFUSED: readonly (readonly [string, Buffer, RegExp])[] = [
  ['a web page', Buffer.from('<!DOCTYPE html><title>Sign in</title>'), /is a web page and no archive/],
  ['something else', Buffer.from('7z\xbc\xaf\x27\x1c and more of it'), /is no zip archive/],
  ['an archive that was cut off', zipFile(GOOD).subarray(0, -30), /is damaged/],
  ['an archive whose data is damaged', damaged(zipFile(GOOD)), /is damaged|damaged/],
  ['a path that leads out', hostile({ name: '../escaped', content: 'x' }), /outside of its folder/],
  ['a path that leads out further down', hostile({ name: 'a/../../escaped', content: 'x' }), /outside of its folder/],
  [
    'a path that leads out as Windows writes it',
    hostile({ name: '..\\escaped', content: 'x' }),
    /outside of its folder/
  ],
  ['an absolute path', hostile({ name: '/tmp/escaped', content: 'x' }), /outside of its folder/],
  ['a path on a drive', hostile({ name: 'C:/escaped', content: 'x' }), /outside of its folder/],
  ['a name that Windows reserves', hostile({ name: 'NUL.dll', content: 'x' }), /device name/],
  ['a link that leads out', hostile(linkEntry('link', '../../escaped')), /leads to none of its files/],
  ['a link to a file of the machine', hostile(linkEntry('link', '/etc/passwd')), /leads to none of its files/],
  ['links in a circle', hostile(linkEntry('a', 'b'), linkEntry('b', 'a')), /leads to none/],
  ['a file below a link', hostile(linkEntry('link', '/tmp'), { name: 'link/escaped', content: 'x' }), /below a file/],
  ['a device', hostile({ name: 'device', mode: 0o060666 }), /neither a file nor a folder/],
  [
    'two names that are one on some disks',
    hostile({ name: 'Lib.so', content: '1' }, { name: 'lib.so', content: '2' }),
    /two files/
  ],
  ['an encrypted file', hostile({ name: 'secret', content: 'x', encrypted: true }), /is encrypted/],
  ['a file in an unknown compression', hostile({ name: 'odd', content: 'x', claims: { method: 12 } }), /unknown way/],
  ['a bomb', hostile({ name: 'bomb', content: Buffer.alloc(200_000_000) }), /far more than its size allows/],
  ['a bomb of links', bombOfLinks(), /far more than its size allows/],
  [
    'a file that is longer than it says',
    hostile({ name: 'liar', content: 'x'.repeat(5000), claims: { size: 50 } }),
    /is damaged/
  ],
  ['a wrong checksum', hostile({ name: 'liar', content: 'x', claims: { crc: 1 } }), /holds liar damaged/],
  [
    'more entries than any build',
    hostile(...Array.from({ length: 5001 }, (_, n) => ({ name: `f${n}` }))),
    /more than 5000 files/
  ],
  ['nothing but a folder', zipFile([{ name: 'folder/', mode: 0o040755 }]), /no zip archive|holds no files/]
];

function hostile(...entries: readonly ZipEntry[]): Buffer {
  return zipFile([...GOOD, ...entries]);
}

function bombOfLinks(): Buffer {
  const links = Array.from({ length: 400 }, (_, n) => linkEntry(`link${n}`, 'large'));
  return hostile({ name: 'large', content: Buffer.alloc(3_000_000) }, ...links);
}

function damaged(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.fill(0xff, 60, 90);
  return copy;
}

describe('an archive', () => {
  it('is unpacked as it is, without what file managers leave', async () => {
    const litter = [
      { name: '__MACOSX/._sd-cli' },
      { name: '.DS_Store', content: 'x' },
      { name: 'sub/', mode: 0o040755 }
    ];
    const { folder, unpacking } = await unpack(zipFile([...GOOD, ...litter, { name: 'sub/a.txt', content: 'a' }]));
    expect((await unpacking).map(({ path }) => path)).toEqual(['sd-cli', 'libstable-diffusion.so', 'sub/a.txt']);
    expect((await readdir(folder)).toSorted()).toEqual(['libstable-diffusion.so', 'sd-cli', 'sub']);
    expect(await readFile(join(folder, 'sd-cli'), 'utf8')).toBe('program '.repeat(50));
  });

  it.each(REFUSED)('is refused when it is or holds %s, and nothing is written outside', async (_, bytes, reason) => {
    const { home, unpacking } = await unpack(bytes);
    await expect(unpacking).rejects.toMatchObject({ code: 'bad-archive', message: expect.stringMatching(reason) });
    expect(await readdir(home)).toEqual(['archive', 'to']);
    expect(await readdir(join(home, 'to'))).toEqual(['here']);
  });

  it('is refused where its content leaves no room', async () => {
    const { folder, unpacking } = await unpack(zipFile(GOOD), { free: 1024 ** 3 });
    await expect(unpacking).rejects.toMatchObject({ code: 'disk-full' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('is left when the user cancels', async () => {
    const { unpacking } = await unpack(zipFile(GOOD), { signal: AbortSignal.abort() });
    await expect(unpacking).rejects.toMatchObject({ code: 'cancelled' });
  });
});

import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { cacheRoot, HOME_VARIABLE } from '../../../server/platform/cache-root';
import { systemClock } from '../../../server/platform/clock';
import { freeBytes } from '../../../server/platform/disk-space';
import { entriesOf } from '../../../server/platform/folder-entries';
import { logLine } from '../../../server/platform/log';
import { errorCode, fileFailure, isErrorWithCode } from '../../../server/platform/system-error';
import { Failure } from '../../../shared/failure';
import { temporaryFolder } from '../../support/temporary-folder';

const onPlatform = (name: string) => Object.defineProperty(process, 'platform', { value: name });
const fault = (code: unknown) => Object.assign(new Error('fault'), { code });

describe('the cache root', () => {
  const platform = process.platform;
  afterEach(() => onPlatform(platform));

  it('is the configured folder before anything else', () => {
    expect(cacheRoot('/given', { [HOME_VARIABLE]: '/named' })).toBe(resolve('/given'));
  });

  it.each([undefined, ''])('is what the environment names when %j is configured', (configured) => {
    expect(cacheRoot(configured, { [HOME_VARIABLE]: '/named' })).toBe(resolve('/named'));
  });

  it('is absolute, whatever is given', () => {
    expect(cacheRoot('given', {})).toBe(resolve('given'));
  });

  it.each([
    ['~', homedir()],
    ['~/models', join(homedir(), 'models')],
    ['~other', resolve('~other')],
    ['/a/~', resolve('/a/~')]
  ])('reads %s as a person means it', (configured, expected) => {
    expect(cacheRoot(configured, {})).toBe(expected);
    expect(cacheRoot(undefined, { [HOME_VARIABLE]: configured })).toBe(expected);
  });

  it.each<[string, NodeJS.ProcessEnv, string]>([
    ['linux', {}, join(homedir(), '.local', 'share')],
    ['linux', { XDG_DATA_HOME: '/data' }, '/data'],
    ['linux', { XDG_DATA_HOME: '' }, join(homedir(), '.local', 'share')],
    ['linux', { XDG_DATA_HOME: 'relative' }, join(homedir(), '.local', 'share')],
    ['darwin', { XDG_DATA_HOME: '/data' }, join(homedir(), 'Library', 'Application Support')],
    ['win32', { LOCALAPPDATA: '/local' }, '/local'],
    ['win32', { LOCALAPPDATA: '' }, join(homedir(), 'AppData', 'Local')],
    ['win32', {}, join(homedir(), 'AppData', 'Local')]
  ])('is in the data folder of %s with %j', (name, environment, parent) => {
    onPlatform(name);
    expect(cacheRoot(undefined, environment)).toBe(join(parent, 'diffusion-dock'));
  });
});

describe('free space', () => {
  it('is asked of the nearest folder that exists', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    for (const path of [folder, join(folder, 'a', 'b', 'c'), join(folder, 'file', 'below')]) {
      expect(await freeBytes(path)).toBeGreaterThan(0);
    }
  });

  it('is unknown, and no error, where the system does not tell', async () => {
    expect(await freeBytes(join(await temporaryFolder(), 'x'.repeat(5000)))).toBeUndefined();
    expect(await freeBytes('a\0b')).toBeUndefined();
  });
});

describe('a log line', () => {
  it.each([
    [{}, 'done'],
    [{ files: 3, ok: true, none: null }, 'done files=3 ok=true none=null'],
    [{ path: '/a b' }, 'done path="/a b"'],
    [{ path: 'C:\\a' }, 'done path=C:\\a'],
    [{ text: '' }, 'done text=""'],
    [{ text: 'a=b' }, 'done text="a=b"'],
    [{ text: 'say "x"' }, 'done text="say \\"x\\""'],
    [{ text: 'one\ntwo\r' }, 'done text="one\\ntwo\\r"'],
    [{ text: '\u001b[31mred' }, 'done text="\\u001b[31mred"']
  ])('of %j stays one line that can be read back', (fields, line) => {
    expect(logLine('done', fields)).toBe(line);
  });
});

describe('a system error', () => {
  it.runIf(process.platform === 'linux')('that Node has no name for is told by the name that the system has', () => {
    const failure = fileFailure(fault('Unknown system error -122'), 'Failed.', '/the/file');
    expect(failure).toMatchObject({ code: 'disk-full', message: 'Failed. Your disk quota is used up.' });
    expect(errorCode(Object.assign(fault('UNKNOWN'), { errno: -122 }))).toBe('EDQUOT');
    expect(errorCode(fault('Unknown system error -99999'))).toBe('Unknown system error -99999');
  });

  it('is known by its code, and nothing else is', () => {
    expect(errorCode(fault('ENOENT'))).toBe('ENOENT');
    expect([errorCode(fault(7)), errorCode({ code: 'ENOENT' }), errorCode(new Error('x'))]).toEqual([
      undefined,
      undefined,
      undefined
    ]);
    expect(isErrorWithCode(fault('EIO'), 'ENOENT', 'EIO')).toBe(true);
    expect(isErrorWithCode(fault('EIO'), 'ENOENT')).toBe(false);
  });

  it.each([
    ['ENOSPC', 'disk-full', 'Failed. The disk is full.'],
    ['EDQUOT', 'disk-full', 'Failed. Your disk quota is used up.'],
    ['EROFS', 'file-access', 'Failed. The disk is read-only.'],
    ['EBUSY', 'file-access', 'Failed. It is in use by another program.'],
    ['ENAMETOOLONG', 'file-access', 'Failed. The name is too long for the file system.'],
    ['EWEIRD', 'file-access', 'Failed. EWEIRD']
  ])('%s becomes a failure that names the file', (code, kind, message) => {
    const failure = fileFailure(fault(code), 'Failed.', '/the/file');
    expect(failure).toMatchObject({ code: kind, message, subject: '/the/file' });
  });

  it('is the only thing that becomes one', () => {
    const bug = new TypeError('bug');
    const failure = new Failure('busy', 'Busy.');
    expect([fileFailure(bug, 'x', 'y'), fileFailure(failure, 'x', 'y')]).toEqual([bug, failure]);
  });
});

it('lists a folder sorted, and none that is not there', async () => {
  const folder = await temporaryFolder();
  for (const name of ['b', 'a', 'C']) await writeFile(join(folder, name), '');
  expect(await entriesOf(folder)).toEqual(['C', 'a', 'b']);
  expect(await entriesOf(join(folder, 'nowhere'))).toEqual([]);
  expect(await entriesOf(join(folder, 'a'))).toEqual([]);
});

describe('the machine’s clock', () => {
  it('wakes up when it is cancelled, before and while it sleeps', async () => {
    await expect(systemClock.sleep(1e9, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    const controller = new AbortController();
    const sleeping = systemClock.sleep(1e9, controller.signal);
    controller.abort();
    await expect(sleeping).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('sleeps to the end otherwise', async () => {
    await expect(systemClock.sleep(1, new AbortController().signal)).resolves.toBeUndefined();
  });
});

import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { executableProblem } from '../../../server/engine/executable';
import { startEngine } from '../../../server/engine/start';
import { failureOf } from './failures';
import { temporaryFolder } from './processes';

let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(() => rm(folder, { recursive: true }));

async function program(name: string, content: string | Uint8Array, mode = 0o755): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

const nothing = () => undefined;

function start(file: string) {
  return startEngine({
    file,
    arguments: [],
    environment: { ...process.env } as never,
    onOutput: nothing,
    onError: nothing
  });
}

/** The beginning of an ELF file for a processor by its number. */
function elf(machine: number): Uint8Array {
  const header = new Uint8Array(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header[18] = machine;
  return header;
}

describe('starting the engine', () => {
  it('never lets a shell run what is not a program', async () => {
    const note = join(folder, 'ran');
    const page = await program('page', `<!doctype html>\necho run > ${note}\n`);
    expect(await failureOf(start(page))).toMatchObject({
      code: 'engine-unusable',
      message: 'sd-cli cannot be run: the file is not a program.',
      subject: page
    });
    await expect(rm(note)).rejects.toThrow('ENOENT');
  });

  it('refuses an empty file', async () => {
    expect((await failureOf(start(await program('empty', '')))).message).toContain('is empty');
  });

  it('refuses a folder', async () => {
    expect(await failureOf(start(folder))).toMatchObject({ code: 'engine-unusable', subject: folder });
  });

  it('says that a file is not there', async () => {
    expect((await failureOf(start(join(folder, 'nosuch')))).code).toBe('engine-missing');
  });

  it('says that a file is not executable', async () => {
    const path = await program('plain', '#!/bin/sh\n', 0o644);
    expect((await failureOf(start(path))).message).toContain('not marked as executable');
  });

  it('says that the interpreter is missing', async () => {
    const path = await program('orphaned', '#!/nosuch/interpreter\n');
    expect(await failureOf(start(path))).toMatchObject({
      code: 'engine-unusable',
      message: 'sd-cli cannot be started: the loader or interpreter that it needs is missing.'
    });
  });

  it('reports a program that is cut off behind its header', async () => {
    const path = await program('cut', elf(process.arch === 'arm64' ? 183 : 62));
    // What the system makes of it differs; it must not pass as a run that ended well.
    const outcome = await start(path).then(
      ({ ended }) => ended.then(({ code }) => code),
      (error: { code: string }) => error.code
    );
    expect(outcome).not.toBe(0);
  });
});

describe('the header of a program', () => {
  const script = Buffer.from('#!/usr/bin/env node');
  const mach = Uint8Array.from([0xcf, 0xfa, 0xed, 0xfe, 0, 0, 0, 0]);
  const windows = Buffer.from('MZ\x90\x00');

  it.each([
    ['linux', 'x64', elf(62), undefined],
    ['linux', 'arm64', elf(183), undefined],
    ['linux', 'x64', elf(183), 'is a program for another processor'],
    ['linux', 'x64', mach, 'is a program for another operating system'],
    ['linux', 'x64', script, undefined],
    ['darwin', 'arm64', mach, undefined],
    ['darwin', 'arm64', elf(183), 'is a program for another operating system'],
    ['win32', 'x64', windows, undefined],
    ['win32', 'x64', script, 'is a script'],
    ['linux', 'x64', Buffer.from('PK\x03\x04'), 'is not a program'],
    ['linux', 'x64', Buffer.from('#!'), 'is not a program'],
    ['linux', 'x64', elf(62).subarray(0, 10), 'is a program for another processor']
  ] as const)('on %s %s is judged (%#)', (platform, arch, header, problem) => {
    expect(executableProblem(header, platform, arch)).toBe(problem);
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { staleReason } from '../../../scripts/setup.mjs';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'setup-'));
  mkdirSync(path.join(folder, 'node_modules'));
  const other = { version: '1.0.0', optional: true };
  lock('package-lock.json', { '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/other-platform': other });
});

afterEach(() => rmSync(folder, { recursive: true }));

function lock(file: string, packages: object): void {
  writeFileSync(path.join(folder, file), JSON.stringify({ packages }));
}

function install(packages: object): void {
  lock('node_modules/.package-lock.json', packages);
}

describe('the dependencies', () => {
  it('are installed when node_modules is missing', () => {
    expect(staleReason(folder)).toBe('node_modules is missing');
  });

  it('are left alone when they are what the lockfile asks for, without the parts for other platforms', () => {
    install({ 'node_modules/a': { version: '1.0.0' } });
    expect(staleReason(folder)).toBeUndefined();
  });

  it.each([
    ['a version differs', { 'node_modules/a': { version: '0.9.0' } }, 'node_modules/a is 0.9.0, 1.0.0 is wanted'],
    ['a package is missing', {}, 'node_modules/a is missing, 1.0.0 is wanted'],
    [
      'a package is left over',
      { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } },
      'node_modules/b is no longer wanted'
    ]
  ])('are installed again when %s', (_, packages, reason) => {
    install(packages);
    expect(staleReason(folder)).toBe(reason);
  });
});

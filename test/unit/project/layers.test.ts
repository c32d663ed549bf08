import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkLayers } from '../../../scripts/check-layers.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'layers-'));
  add('shared/digest.ts', 'export type Digest = string; export const one = 1;');
  add('server/platform/log.ts', `import type { Digest } from '../../shared/digest';\nexport const log = 1;`);
  add('server/store/blobs.ts', `import { log } from '../platform/log';\nexport const blobs = log;`);
  add('server/operations/pull.ts', `export { blobs } from '../store/blobs';`);
  add('server/cli.ts', `import { blobs } from './operations/pull';\nimport { version } from '../package.json';`);
  add('client/extension.ts', `import * as vscode from 'vscode';\nimport { one } from '../shared/digest';`);
  add('test/unit/cli.test.ts', `import '../../server/cli';`);
  add('scripts/start.mjs', '');
});

afterEach(() => rmSync(root, { recursive: true }));

function add(file: string, source: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), source);
}

/** The problems as `file:line message`. */
function problems(): string[] {
  return checkLayers(root).problems.map(({ file, line, message }) => `${file}:${line} ${message}`);
}

describe('the layer check', () => {
  it('accepts a tree in which every import goes down', () => {
    expect(checkLayers(root)).toEqual({ modules: 8, problems: [] });
  });

  it.each([
    ['a value import', `import { blobs } from '../store/blobs';`],
    ['a side-effect import', `import '../store/blobs';`],
    ['a type-only import', `import type { blobs } from '../store/blobs';`],
    ['an inline type import', `import { type blobs } from '../store/blobs';`],
    ['a re-export', `export { blobs } from '../store/blobs';`],
    ['a re-export of everything', `export * from '../store/blobs';`],
    ['a type-only re-export', `export type { blobs } from '../store/blobs';`],
    ['a dynamic import', `export const late = () => import('../store/blobs');`],
    ['a dynamic import by template', 'export const late = () => import(`../store/blobs`);'],
    ['an import type', `export type Blobs = typeof import('../store/blobs');`],
    ['a call of require', `export const blobs = require('../store/blobs');`],
    ['an import by require', `import blobs = require('../store/blobs');`]
  ])('reports %s that goes up', (_, source) => {
    add('server/platform/paths.ts', `\n${source}\n`);
    expect(problems()).toEqual([
      'server/platform/paths.ts:2 imports server/store/blobs.ts; server/platform may import only shared'
    ]);
  });

  it('reports an import between two folders of one layer', () => {
    add('server/huggingface/hub.ts', 'export const hub = 1;');
    add('server/engine/install.ts', `import { hub } from '../huggingface/hub';`);
    expect(problems()).toEqual([
      expect.stringContaining('server/engine/install.ts:1 imports server/huggingface/hub.ts')
    ]);
  });

  it('reports vscode outside the client', () => {
    add('server/lsp/window.ts', `import type { Uri } from 'vscode';`);
    expect(problems()).toEqual([expect.stringContaining('server/lsp/window.ts:1 imports vscode')]);
  });

  it('reports a client that imports the server, and a server that imports the client', () => {
    add('client/models.ts', `import '../server/store/blobs';`);
    add('server/main.ts', `import '../client/models';`);
    expect(problems()).toEqual([
      expect.stringContaining('client/models.ts:1 imports server/store/blobs.ts'),
      expect.stringContaining('server/main.ts:1 imports client/models.ts')
    ]);
  });

  it('reports shared code that imports anything of ours', () => {
    add('shared/paths.ts', `import '../server/platform/log';`);
    expect(problems()).toEqual([expect.stringContaining('shared may import nothing of ours')]);
  });

  it('reports product code that imports tests or scripts', () => {
    add('server/cli.ts', `import '../scripts/start.mjs';`);
    add('server/store/fake.ts', `import '../../test/unit/cli.test';`);
    expect(problems()).toEqual(
      expect.arrayContaining([
        expect.stringContaining('server/cli.ts:1 imports scripts/start.mjs'),
        expect.stringContaining('server/store/fake.ts:1 imports test/unit/cli.test.ts')
      ])
    );
  });

  it('reports a folder of the server that the table does not name', () => {
    add('server/helpers/text.ts', `import '../platform/log';`);
    expect(problems()).toEqual([expect.stringContaining('server/helpers/text.ts:1 is in no layer')]);
  });

  it('reports an import whose address is computed', () => {
    add('server/store/plugin.ts', 'export const load = (name: string) => import(name);');
    expect(problems()).toEqual([expect.stringContaining('server/store/plugin.ts:1 imports a computed address')]);
  });

  it('reports a cycle once, also one of types only', () => {
    add('shared/a.ts', `import type { B } from './b';\nexport type A = B;`);
    add('shared/b.ts', `import type { C } from './c';\nexport type B = C;`);
    add('shared/c.ts', `\nexport type { A as C } from './a';`);
    expect(problems()).toEqual(['shared/c.ts:2 closes a cycle: shared/a.ts → shared/b.ts → shared/c.ts → shared/a.ts']);
  });
});

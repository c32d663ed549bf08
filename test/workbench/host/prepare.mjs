// What the tests in the extension host need: their bundle and a workspace. Used by both that run them.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const folder = path.dirname(fileURLToPath(import.meta.url));

/** The root of the project. */
export const root = path.resolve(folder, '../../..');

/**
 * Bundles the tests.
 * @returns {Promise<string>} the module that exports `run`
 */
export async function buildHostTests() {
  const outdir = path.join(root, '.cache', 'host-tests');
  await build({
    entryPoints: ['run.ts', 'extension.test.ts', 'diagnostics.test.ts'].map((name) => path.join(folder, name)),
    outdir,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.18',
    external: ['vscode', 'mocha'],
    logLevel: 'warning'
  });
  return path.join(outdir, 'run.js');
}

/**
 * Writes the workspace that the tests look at.
 * @param {string} workspace
 */
export function writeHostWorkspace(workspace) {
  const files = {
    'sound/manifest.json': model('sound', 'model'),
    'broken.manifest.json': model('broken', 'modell'),
    'also-broken.manifest.json': model('also-broken', 'modell'),
    'web/manifest.json': { name: 'Shop', start_url: '/', icons: [{ src: 'icon.png', sizes: '1x1' }] }
  };
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(workspace, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
  }
}

const model = (/** @type {string} */ name, /** @type {string} */ role) => ({
  name,
  files: [{ role, url: 'https://example.com/example.gguf', filename: 'example.gguf' }]
});

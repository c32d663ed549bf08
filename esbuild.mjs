// Bundles the product into dist/. `--production` minifies and leaves source maps out.

import { chmod, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(root, 'dist');

/** The HTTP client is needed only by transfers: a file of its own, read on first use. */
const UNDICI = 'server/undici.cjs';

const undiciOnDemand = {
  name: 'undici-on-demand',
  setup({ onResolve }) {
    onResolve({ filter: /^undici$/ }, ({ kind, importer }) => {
      if (kind === 'dynamic-import') return { path: './undici.js', external: true };
      const importing = path.relative(root, importer);
      return {
        errors: [{ text: `${importing} loads undici at start-up; use \`await import('undici')\` or \`import type\`` }]
      };
    });
  }
};

/**
 * The command line has its commands and the language server beside it: what is not needed costs its start no time, and
 * what is loaded after its entry can be kept compiled.
 */
const besideCommandLine = {
  name: 'beside-command-line',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/main$/ }, () => ({ path: './server.js', external: true }));
    onResolve({ filter: /^\.\/commands$/ }, ({ kind, path: name }) =>
      kind === 'dynamic-import' ? { path: `${name}.js`, external: true } : undefined
    );
  }
};

/** undici goes without HTTP/2 where there is none; nothing of ours asks for it, and loading it takes Node 20 ms. */
const withoutHttp2 = {
  name: 'without-http2',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:http2$/ }, ({ path: name }) => ({ path: name, namespace: 'left-out' }));
    onLoad({ filter: /./, namespace: 'left-out' }, () => ({ contents: `throw new Error('left out');` }));
  }
};

const common = {
  absWorkingDir: root,
  outdir: dist,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20.18',
  // jsonc-parser's "main" is UMD, whose requires no bundler can follow.
  mainFields: ['module', 'main'],
  logLevel: 'warning'
};

/** What is built: esbuild options for each group of entry points that share them. */
const BUNDLES = [
  { entryPoints: { client: 'client/extension.ts' }, external: ['vscode'] },
  {
    entryPoints: { server: 'server/main.ts', worker: 'server/worker.ts' },
    plugins: [undiciOnDemand],
    // import() of a CommonJS bundle would lose its named exports; as require() it keeps them, and stays lazy.
    supported: { 'dynamic-import': false }
  },
  {
    entryPoints: { cli: 'server/cli.ts' },
    plugins: [besideCommandLine],
    supported: { 'dynamic-import': false },
    banner: { js: '#!/usr/bin/env node' }
  },
  {
    entryPoints: { commands: 'server/commands.ts' },
    plugins: [undiciOnDemand, besideCommandLine],
    supported: { 'dynamic-import': false }
  },
  { entryPoints: { undici: UNDICI }, plugins: [withoutHttp2] }
];

/**
 * Builds everything; rejects when an entry point is missing or does not bundle.
 * @param {{ production?: boolean }} [options]
 * @returns {Promise<{ file: string, bytes: number }[]>} the bundles, source maps left out
 */
export async function buildAll({ production = false } = {}) {
  await rm(dist, { recursive: true, force: true });
  const mode = production ? { minify: true, legalComments: 'linked' } : { sourcemap: true };
  await Promise.all(BUNDLES.map((bundle) => build({ ...common, ...mode, ...bundle })));
  await chmod(path.join(dist, 'cli.js'), 0o755);
  const names = BUNDLES.flatMap(({ entryPoints }) => Object.keys(entryPoints));
  return Promise.all(
    names.map(async (name) => {
      const file = path.join(dist, `${name}.js`);
      return { file: path.relative(root, file), bytes: (await stat(file)).size };
    })
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const bundles = await buildAll({ production: process.argv.includes('--production') });
    for (const { file, bytes } of bundles) console.log(`${file.padEnd(16)} ${(bytes / 1000).toFixed(1)} kB`);
  } catch (error) {
    // esbuild has already printed where and why; anything else has not been said yet.
    if (!('errors' in error)) throw error;
    process.exitCode = 1;
  }
}

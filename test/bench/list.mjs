// `npm run bench:list`: the list of many models by the product's operation, cold and warm, against the plainest
// program that looks at all the same files.

import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../../scripts/processes.mjs';
import { ensureBuild, ensureDependencies, runMain } from '../../scripts/setup.mjs';
import { medianOf, printHead, printTable, ratio } from './figures.mjs';
import { withScratch } from './scratch.mjs';

const require = createRequire(import.meta.url);

/** The operation as the product composes it, built from its sources; a new composition knows nothing yet. */
async function loadList(folder, home) {
  const { build } = await import('esbuild');
  const contents = `
    export { listModels } from './server/operations/models/list-models';
    export { createServices } from './server/operations/services';
    export { systemClock } from './server/platform/clock';`;
  const outfile = path.join(folder, 'list.js');
  const stdin = { contents, resolveDir: root, loader: 'ts' };
  await build({ stdin, outfile, bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'] });
  const { createServices, listModels, systemClock } = require(outfile);
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  return () => {
    const services = createServices({
      root: home,
      environment: {},
      policy: {},
      adoptFrom: [],
      isTrusted: () => true,
      workerScript: path.join(root, 'dist', 'worker.js'),
      clock: systemClock,
      log
    });
    return { list: () => listModels(services), dispose: () => services.dispose() };
  };
}

/** Writes a cache with so many models of two files each, as pulls leave them. */
async function writeCache(home, models) {
  const entries = [];
  for (let index = 0; index < models; index += 1) {
    const name = `model-${index}`;
    const folder = path.join(home, 'models', name);
    await mkdir(folder, { recursive: true });
    const files = ['model', 'vae'].map((role) => {
      const sha256 = createHash('sha256').update(`${name} ${role}`).digest('hex');
      return { role, filename: `${role}.gguf`, sha256, size_bytes: 5 };
    });
    for (const { filename } of files) await writeFile(path.join(folder, filename), 'bytes');
    await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(installedManifest(name, files), null, 2));
    entries.push(registryEntry(name, files, folder));
  }
  await mkdir(path.join(home, 'registry'));
  const state = { schema: 1, id: 'bench', parent: '', models: entries };
  await writeFile(path.join(home, 'registry', '1.json'), JSON.stringify(state, null, 2));
}

function installedManifest(name, files) {
  const facts = { name, source: '', revision: '', task: '', engine: 'sd-cpp', dimensions: 0 };
  const listed = files.map(({ filename, role, sha256, size_bytes }) => ({ path: filename, role, sha256, size_bytes }));
  return { ...facts, installed_at_unix_ms: 1, total_size_bytes: 10, files: listed };
}

function registryEntry(name, files, folder) {
  const asked = files.map(({ filename, role, sha256, size_bytes }) => [filename, role, sha256, size_bytes]);
  const key = createHash('sha256').update(JSON.stringify(asked)).digest('hex').slice(0, 32);
  return {
    manifest: { name, files: files.map((file) => ({ ...file, url: `https://example.com/${name}/${file.filename}` })) },
    updated_at_unix_ms: 1,
    installed: { cache_dir: folder, installed_at_unix_ms: 1, cache_size_bytes: 10, content_key: key }
  };
}

/** Reads the registry and every manifest, and looks at every file, one model after the other. */
async function lookPlainly(home) {
  JSON.parse(await readFile(path.join(home, 'registry', '1.json'), 'utf8'));
  const folder = path.join(home, 'models');
  for (const name of await readdir(folder)) {
    const { files } = JSON.parse(await readFile(path.join(folder, name, 'manifest.json'), 'utf8'));
    for (const file of files) await lstat(path.join(folder, name, file.path));
  }
}

/** @returns {Promise<number>} milliseconds */
async function timed(action) {
  const started = performance.now();
  await action();
  return performance.now() - started;
}

const milliseconds = (value) => `${value.toFixed(1)} ms`;

await runMain(async () => {
  const { values } = parseArgs({
    options: { models: { type: 'string', default: '1000' }, rounds: { type: 'string', default: '5' } }
  });
  ensureDependencies();
  await ensureBuild({ production: true });
  printHead(`list of ${values.models} models, medians of ${values.rounds} rounds`);
  await withScratch(2 ** 26, async (folder) => {
    const home = path.join(folder, 'home');
    await writeCache(home, Number(values.models));
    const compose = await loadList(folder, home);
    const rounds = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      const { list, dispose } = compose();
      const cold = await timed(list);
      const warm = await timed(list);
      await dispose();
      rounds.push({ cold, warm, plain: await timed(() => lookPlainly(home)) });
    }
    const row = (what, ours, budget) => [
      what,
      milliseconds(medianOf(rounds, ours)),
      milliseconds(medianOf(rounds, ({ plain }) => plain)),
      ratio(medianOf(rounds, (round) => ours(round) / round.plain)),
      budget
    ];
    printTable([
      ['', 'ours', 'every file', 'ratio', 'budget'],
      row('cold', ({ cold }) => cold, '< 150 ms'),
      row('warm', ({ warm }) => warm, '< 10 ms')
    ]);
  });
  return 0;
});

// `npm run check`: everything that can be said about the sources without running them.

import { packageScript, root, runQuietly } from './processes.mjs';
import { ensureDependencies, runMain } from './setup.mjs';

/** What each step runs: a package's script with this Node, and its arguments. */
const TOOLS = {
  types: ['typescript/bin/tsc', '--build'],
  lint: ['oxlint/bin/oxlint', '--type-aware'],
  format: ['@biomejs/biome/bin/biome', 'check'],
  unused: ['knip/bin/knip.js', '--no-progress']
};

/** @returns {Promise<{ ok: boolean, output: string }>} */
async function runTool([script, ...args]) {
  const { status, output } = await runQuietly(process.execPath, [packageScript(script), ...args]);
  return { ok: status === 0, output };
}

async function runLayers() {
  // Its parser is a dependency, so it can be loaded only now.
  const { checkLayers } = await import('./check-layers.mjs');
  const { problems } = checkLayers(root);
  const output = problems.map(({ file, line, message }) => `${file}:${line} ${message}\n`).join('');
  return { ok: problems.length === 0, output };
}

await runMain(async () => {
  ensureDependencies();
  const tools = Object.entries(TOOLS).map(([name, tool]) => [name, () => runTool(tool)]);
  const failed = [];
  for (const [name, run] of [...tools, ['layers', runLayers]]) {
    const started = performance.now();
    const { ok, output } = await run();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${name.padEnd(8)} ${ok ? 'ok' : 'FAILED'} (${seconds} s)`);
    if (ok) continue;
    failed.push(name);
    console.log(output.trimEnd());
  }
  if (failed.length > 0) console.log(`failed: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
});

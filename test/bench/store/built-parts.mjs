// The product's own parts, built from its sources for a benchmark that runs inside of a server's process.

import { createRequire } from 'node:module';
import path from 'node:path';
import { root } from '../../../scripts/processes.mjs';

const require = createRequire(import.meta.url);

const CONTENTS = `
  export { createServices } from './server/operations/services';
  export { findModel } from './server/operations/models/known-models';
  export { verifyModel } from './server/operations/verify-and-heal/verify-model';
  export { contentKey } from './server/registry/registry-state';`;

/**
 * @param {string} folder to build into
 * @returns {Promise<any>} what {@link CONTENTS} exports
 */
export async function loadParts(folder) {
  const { build } = await import('esbuild');
  const outfile = path.join(folder, 'parts.js');
  const stdin = { contents: CONTENTS, resolveDir: root, loader: 'ts' };
  await build({ stdin, outfile, bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'] });
  return require(outfile);
}

const silent = () => undefined;

/** Services over a cache root, as a server that has just started has them. */
export function openServices({ createServices }, home) {
  return createServices({
    root: home,
    policy: { allowInsecureHttp: false, allowPrivateHosts: false },
    isTrusted: () => true,
    workerScript: path.join(root, 'dist', 'worker.js'),
    clock: { now: () => Date.now(), elapsed: () => performance.now(), sleep: async () => undefined },
    log: { info: silent, warn: silent, error: silent },
    environment: { HF_HUB_CACHE: path.join(home, 'no-hub-cache') }
  });
}

/**
 * @typedef {object} Taken
 * @property {number} wall ms
 * @property {number} cpu ms of all threads of this process, which a crowded machine changes less
 */

/** @returns {Promise<Taken>} */
export async function timed(action) {
  const [started, used] = [performance.now(), process.cpuUsage()];
  await action();
  const { user, system } = process.cpuUsage(used);
  return { wall: performance.now() - started, cpu: (user + system) / 1000 };
}

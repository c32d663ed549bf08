// The product's own upload, built from its sources as a program of its own.

import path from 'node:path';
import { root } from '../../../scripts/processes.mjs';

/** Puts a file into a store. Arguments: cache root, worker, address of the store, file, its length and digest. */
const PROGRAM = `
  import { createServices } from './server/operations/services';
  import { openStore } from './server/operations/stores/open-store';
  import { storeKey } from './server/artifacts/store-key';
  import { systemClock } from './server/platform/clock';
  const [home, workerScript, url, path, bytes, digest] = process.argv.slice(2);
  const silent = () => undefined;
  const services = createServices({
    root: home,
    policy: { allowInsecureHttp: false, allowPrivateHosts: false },
    isTrusted: () => true,
    workerScript,
    clock: systemClock,
    log: { info: silent, warn: silent, error: silent },
    environment: process.env
  });
  void (async () => {
    const store = await openStore(services, url);
    const content = { kind: 'file', path, bytes: Number(bytes), digest };
    await store.put(storeKey('ours'), content, { signal: new AbortController().signal });
    await services.dispose();
  })();`;

/**
 * @param {string} folder to build into
 * @returns {Promise<string>} path of the program
 */
export async function buildUpload(folder) {
  const { build } = await import('esbuild');
  const outfile = path.join(folder, 'put.cjs');
  const stdin = { contents: PROGRAM, resolveDir: root, loader: 'ts' };
  const format = { bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'], minify: true };
  await build({ stdin, outfile, ...format });
  return outfile;
}

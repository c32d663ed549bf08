// The product's reader and its peers, built for a benchmark.

import { createRequire } from 'node:module';
import path from 'node:path';
import { root } from '../../../scripts/processes.mjs';

const require = createRequire(import.meta.url);

const CONTENTS = `
  export { readWeights } from './server/weights/headers/read-weights';
  export { describeWeights } from './server/weights/describe';
  export { ggufFile } from './test/support/weights/gguf-file';
  export { safetensorsFile } from './test/support/weights/safetensors-file';
  export { ggufParser, hubParser } from './test/support/weights/peers';`;

/**
 * @param {string} folder to build into
 * @returns {Promise<any>} what {@link CONTENTS} exports; `alone`: a file with the product's reader and nothing else
 */
export async function loadReaders(folder) {
  const alone = await built(CONTENTS.split('\n').slice(0, 2).join('\n'), path.join(folder, 'reader.js'));
  return { ...require(await built(CONTENTS, path.join(folder, 'readers.js'))), alone };
}

async function built(contents, outfile) {
  const { build } = await import('esbuild');
  const stdin = { contents, resolveDir: root, loader: 'ts' };
  const shape = { bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'] };
  await build({ stdin, outfile, ...shape, logLevel: 'error' });
  return outfile;
}

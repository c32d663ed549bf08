// How long the findings in a manifest take, and how much memory, against the JSON language service of VS Code with
// our own schema.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { getLanguageService } from 'vscode-json-languageservice';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { root } from '../../../scripts/processes.mjs';
import { mebibytes, medianOf, printTable, ratio } from '../figures.mjs';
import { manifestText } from './texts.mjs';

const require = createRequire(import.meta.url);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const CONTENTS = `
  export { parsing } from './server/manifest/document';
  export { diagnosing } from './server/manifest/diagnostics';`;

async function loadOurs(folder) {
  const { build } = await import('esbuild');
  const outfile = path.join(folder, 'manifest.js');
  const stdin = { contents: CONTENTS, resolveDir: root, loader: 'ts' };
  await build({ stdin, outfile, bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'] });
  return require(outfile);
}

/** Reads a text by the product, with the pauses that the server makes. */
function readByOurs({ parsing, diagnosing }, text) {
  const steps = new Steps();
  const document = steps.take(parsing(text));
  const findings = steps.take(diagnosing(document, 'source', { reportSyntax: true }));
  if (findings.length > 0) throw new Error(`expected no findings, got ${JSON.stringify(findings[0])}`);
  return { ms: steps.until - steps.from, longest: steps.longest, kept: document };
}

/** Does work step by step; the longest is what other requests wait for. */
class Steps {
  from = performance.now();
  until = this.from;
  longest = 0;

  take(work) {
    for (;;) {
      const { done, value } = work.next();
      const now = performance.now();
      this.longest = Math.max(this.longest, now - this.until);
      this.until = now;
      if (done) return value;
    }
  }
}

async function readByService(service, schema, text) {
  const started = performance.now();
  const document = TextDocument.create('file:///manifest.json', 'json', 1, text);
  const parsed = service.parseJSONDocument(document);
  const findings = await service.doValidation(document, parsed, undefined, schema);
  if (findings.length > 0) throw new Error(`expected no findings, got ${JSON.stringify(findings[0])}`);
  return { ms: performance.now() - started, kept: parsed };
}

/** @returns {Promise<number>} bytes that stay in use while the result is kept */
async function memoryOf(read) {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const { kept } = await read();
  collectGarbage();
  const bytes = process.memoryUsage().heapUsed - before;
  // Keeps the result until here.
  return kept === undefined ? 0 : bytes;
}

export async function benchReading({ folder, rounds }) {
  const ours = await loadOurs(folder);
  const schema = JSON.parse(await readFile(path.join(root, 'schemas', 'diffusion-dock.source.schema.json'), 'utf8'));
  const service = getLanguageService({});
  service.configure({ validate: true, allowComments: false });
  const rows = [['files', 'ours', 'longest step', 'JSON service', 'ratio', 'memory', 'JSON service', 'ratio']];
  for (const count of [10, 1000, 10_000]) {
    const text = manifestText(count);
    // A new text each time: nothing is remembered of the last one.
    const next = (round) => text + ' '.repeat(round);
    const times = [];
    for (let round = 0; round < rounds * (count < 1000 ? 200 : 10_000 / count + 4); round += 1) {
      const { ms, longest } = readByOurs(ours, next(round));
      times.push({ ms, longest, peer: (await readByService(service, schema, next(round))).ms });
    }
    const memory = await memoryOf(() => readByOurs(ours, next(0)));
    const peerMemory = await memoryOf(() => readByService(service, schema, next(0)));
    const figure = (of) => `${medianOf(times, of).toFixed(2)} ms`;
    rows.push([
      String(count),
      figure(({ ms }) => ms),
      figure(({ longest }) => longest),
      figure(({ peer }) => peer),
      ratio(medianOf(times, ({ ms, peer }) => ms / peer)),
      mebibytes(memory),
      mebibytes(peerMemory),
      ratio(memory / peerMemory)
    ]);
  }
  printTable(rows);
  console.log('budgets: ratio <= 1.00 and longest step < 50 ms with 10,000 files, memory <= 1.20');
}

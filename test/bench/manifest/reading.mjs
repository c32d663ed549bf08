// How long the findings in a manifest take, and how much memory a manifest keeps while it is open, against the JSON
// language service of VS Code with our own schema; and how long the server is held up by broken ones.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { getLanguageService } from 'vscode-json-languageservice';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { root } from '../../../scripts/processes.mjs';
import { medianOf, printTable, ratio } from '../figures.mjs';
import { brokenTexts, manifestText } from './texts.mjs';

const require = createRequire(import.meta.url);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const CONTENTS = `
  export { parsing } from './server/manifest/text/document';
  export { diagnosing } from './server/manifest/diagnostics';`;

/** @returns {Promise<(text: string, before?: object) => object>} reads a text with the pauses that the server makes */
async function loadOurs(folder) {
  const { build } = await import('esbuild');
  const outfile = path.join(folder, 'manifest.js');
  const stdin = { contents: CONTENTS, resolveDir: root, loader: 'ts' };
  await build({ stdin, outfile, bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'] });
  const { parsing, diagnosing } = require(outfile);
  return (text, before) => {
    const steps = new Steps();
    const document = steps.take(parsing(text, before?.document));
    const memory = before?.memory ?? new WeakMap();
    const findings = steps.take(diagnosing(document, 'source', { reportSyntax: true }, memory));
    return { ms: steps.until - steps.from, longest: steps.longest, findings, document, memory };
  };
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

async function loadService() {
  const schema = JSON.parse(await readFile(path.join(root, 'schemas', 'diffusion-dock.source.schema.json'), 'utf8'));
  const service = getLanguageService({});
  service.configure({ validate: true, allowComments: false });
  return async (text) => {
    const started = performance.now();
    const document = TextDocument.create('file:///manifest.json', 'json', 1, text);
    const parsed = service.parseJSONDocument(document);
    const findings = await service.doValidation(document, parsed, undefined, schema);
    return { ms: performance.now() - started, findings, document, parsed };
  };
}

function requireNoFindings({ findings }) {
  if (findings.length > 0) throw new Error(`expected no findings, got ${JSON.stringify(findings[0])}`);
}

/** Texts of one manifest each, so that nothing is remembered of the last one. Not yet in the memory of a reader. */
function textsOf(count, number) {
  return Array.from({ length: number }, (_, index) => Buffer.from(manifestText(count, `m${index}`)).toString());
}

/**
 * What one manifest keeps in use while it is open, apart from its text: of so many at once that noise drowns.
 * @returns {Promise<number>} KiB
 */
async function memoryOf(read, texts) {
  const [first, ...others] = texts;
  const open = [await read(first)];
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (const text of others) open.push(await read(text));
  collectGarbage();
  const bytes = process.memoryUsage().heapUsed - before;
  open.forEach(requireNoFindings);
  return bytes / others.length / 1024;
}

/** By files: how often both read a manifest before the times count, how often for each round, and how many are open. */
const SAMPLES = [
  { count: 10, warming: 2000, perRound: 1000, open: 1000 },
  { count: 1000, warming: 10, perRound: 20, open: 20 },
  { count: 10_000, warming: 2, perRound: 3, open: 5 }
];

export async function benchReading({ folder, rounds }) {
  const [ours, service] = [await loadOurs(folder), await loadService()];
  const rows = [['files', 'ours', 'longest step', 'JSON service', 'ratio', 'kept', 'JSON service', 'ratio']];
  for (const { count, warming, perRound, open } of SAMPLES) {
    const texts = textsOf(count, 10);
    const times = [];
    for (let index = 0; index < warming + rounds * perRound; index += 1) {
      const text = texts[index % texts.length] + ' '.repeat(index);
      const read = ours(text);
      const peer = await service(text);
      [read, peer].forEach(requireNoFindings);
      if (index >= warming) times.push({ ms: read.ms, longest: read.longest, peer: peer.ms });
    }
    const opened = textsOf(count, open + 1);
    const [kept, peerKept] = [await memoryOf(ours, opened), await memoryOf(service, opened)];
    const figure = (of) => `${medianOf(times, of).toFixed(2)} ms`;
    rows.push([
      String(count),
      figure(({ ms }) => ms),
      figure(({ longest }) => longest),
      figure(({ peer }) => peer),
      ratio(medianOf(times, ({ ms, peer }) => ms / peer)),
      ...[kept, peerKept].map((size) => `${size.toFixed(1)} KiB`),
      ratio(kept / peerKept)
    ]);
  }
  printTable(rows);
  console.log('budgets: ratio <= 1.00 and longest step < 50 ms with 10,000 files, kept <= 1.20');
}

/** Manifests of 10,000 files with a mistake in the syntax: opened so, and while somebody who typed it types on. */
export async function benchBroken({ folder, rounds }) {
  const ours = await loadOurs(folder);
  const rows = [['what is broken', 'opened', 'longest step', 'typed on', 'longest step']];
  const text = manifestText(10_000);
  for (const [what, broken] of brokenTexts(text)) {
    const times = [];
    for (let round = 0; round < rounds * 3; round += 1) {
      const opened = ours(broken);
      const typed = ours(`${broken} `, ours(broken, ours(text)));
      if (opened.findings.length === 0) throw new Error(`nothing is found where ${what} is broken`);
      times.push({ opened, typed });
    }
    const figures = (when) =>
      ['ms', 'longest'].map((figure) => `${medianOf(times, (time) => time[when][figure]).toFixed(1)} ms`);
    rows.push([what, ...figures('opened'), ...figures('typed')]);
  }
  printTable(rows);
  console.log('budget: longest step < 50 ms');
}

// An editor that asks the built language server again and again, and how long the answers take.

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { root } from '../../scripts/processes.mjs';
import { percentileOf, printTable } from './figures.mjs';

/** How often the editor asks, in ms. */
const EVERY_MS = 10;

/** How long the idle server is asked, in ms. */
const IDLE_MS = 5000;

/**
 * Prints how fast the server answers with nothing to do, and while it does a job.
 * @param {string} what the job is, for the table
 * @param {() => Promise<unknown>} job
 */
export async function printResponsiveness(editor, what, job) {
  const idle = await editor.askUntil(sleep(IDLE_MS));
  const busy = await editor.askUntil(job());
  printTable([
    ['diagnostics, every 10 ms', 'answers', 'median', 'p99', 'longest'],
    row('nothing else to do', idle),
    row(what, busy)
  ]);
  console.log(`budget: p99 < 20 ms ${what}`);
}

function row(what, times) {
  const figures = [0.5, 0.99, 1].map((share) => `${percentileOf(times, share).toFixed(1)} ms`);
  return [what, String(times.length), ...figures];
}

/**
 * The built language server, with a manifest open.
 * @param {string} home
 * @param {string} manifest
 */
export async function startEditor(home, manifest) {
  const { createProtocolConnection, StreamMessageReader, StreamMessageWriter } = await import(
    'vscode-languageserver-protocol/node'
  );
  const server = spawn(process.execPath, [path.join(root, 'dist', 'server.js'), '--stdio'], {
    stdio: ['pipe', 'pipe', 'inherit']
  });
  const reader = new StreamMessageReader(server.stdout);
  const connection = createProtocolConnection(reader, new StreamMessageWriter(server.stdin));
  connection.onUnhandledNotification(() => undefined);
  connection.listen();
  const uri = pathToFileURL(manifest).href;
  const capabilities = { textDocument: { diagnostic: {} } };
  const initializationOptions = { trusted: true, cacheRoot: home };
  await connection.sendRequest('initialize', { processId: null, rootUri: null, capabilities, initializationOptions });
  await connection.sendNotification('initialized', {});
  const text = await readFile(manifest, 'utf8');
  await connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'json', version: 1, text }
  });
  await connection.sendNotification('diffusionDock/manifestsInView', { uris: [uri] });
  const ask = () => connection.sendRequest('textDocument/diagnostic', { textDocument: { uri } });
  return {
    request: (method, params) => connection.sendRequest(method, params),
    askUntil: (end) => timesUntil(end, ask),
    close() {
      connection.dispose();
      server.kill('SIGKILL');
    }
  };
}

/** Asks again and again, whether or not the last question was answered. @returns what each answer took, in ms */
async function timesUntil(end, ask) {
  const answers = [];
  const timer = setInterval(() => {
    const asked = performance.now();
    answers.push(ask().then(() => performance.now() - asked));
  }, EVERY_MS);
  try {
    await end;
  } finally {
    clearInterval(timer);
  }
  return Promise.all(answers);
}

// An editor that asks the built language server again and again, and how long the answers take.

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { root } from '../../scripts/processes.mjs';
import { percentileOf, printTable } from './figures.mjs';

/** How often the editor asks, in ms. */
const EVERY_MS = 10;

/** How long the server is asked that has no job, in ms. */
const IDLE_MS = 5000;

/**
 * Prints how fast the server answers with nothing to do, while it does a job, and, as the peer of that, while strangers
 * keep all CPUs busy: what then remains is the scheduler's, not the server's.
 * @param {string} what the job is, for the table
 * @param {() => Promise<unknown>} job
 */
export async function printResponsiveness(editor, what, job) {
  const idle = await editor.askUntil(sleep(IDLE_MS));
  const busy = await editor.askUntil(job());
  const strangers = await whileOthersCompute(() => editor.askUntil(sleep(IDLE_MS)));
  printTable([
    ['diagnostics, every 10 ms', 'answers', 'median', 'p99', 'longest'],
    row('nothing else to do', idle),
    row(what, busy),
    row('while strangers compute', strangers)
  ]);
  console.log(`budget: p99 < 20 ms ${what}`);
}

/** Does something beside as many unrelated processes as there are CPUs, which compute all the time. */
async function whileOthersCompute(work) {
  const strangers = Array.from({ length: os.availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })
  );
  try {
    return await work();
  } finally {
    for (const stranger of strangers) stranger.kill('SIGKILL');
  }
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

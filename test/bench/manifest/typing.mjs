// How long somebody who types waits for findings, completions and hovers of the built server.

import { spawn } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  CompletionRequest,
  createProtocolConnection,
  DidChangeTextDocumentNotification,
  DidOpenTextDocumentNotification,
  ExitNotification,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  PublishDiagnosticsNotification,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter
} from 'vscode-languageserver-protocol/node';
import { root } from '../../../scripts/processes.mjs';
import { percentileOf, printTable } from '../figures.mjs';
import { manifestText } from './texts.mjs';

async function startServer(folder) {
  const cli = path.join(root, 'dist', 'cli.js');
  const env = { ...process.env, DIFFUSION_DOCK_HOME: path.join(folder, 'home') };
  const child = spawn(process.execPath, [cli, 'lsp', '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'], env });
  const client = createProtocolConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
  client.onUnhandledNotification(() => undefined);
  client.listen();
  await client.sendRequest(InitializeRequest.type, { processId: null, rootUri: null, capabilities: {} });
  await client.sendNotification(InitializedNotification.type, {});
  return {
    client,
    stop: async () => {
      await client.sendRequest(ShutdownRequest.type);
      await client.sendNotification(ExitNotification.type);
      client.dispose();
    }
  };
}

/** Types and deletes a character in the middle of a manifest, again and again, and asks in between. */
class Typist {
  version = 1;
  waiting = new Map();

  constructor(client, uri, text) {
    Object.assign(this, { client, uri });
    const lines = text.split('\n');
    this.line = lines.findIndex((line, index) => index > lines.length / 2 && line.includes('"filename"'));
    this.character = lines[this.line].indexOf(': "') + 3;
    client.onNotification(PublishDiagnosticsNotification.type, ({ version }) => this.waiting.get(version)?.());
    this.opened = this.findingsOf(1);
    const textDocument = { uri, languageId: 'json', version: 1, text };
    void client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
  }

  findingsOf(version) {
    return new Promise((resolve) => this.waiting.set(version, resolve));
  }

  /** @returns resolves when the findings came */
  async type() {
    this.version += 1;
    const start = { line: this.line, character: this.character };
    const isLetter = this.version % 2 === 0;
    const range = { start, end: isLetter ? start : { ...start, character: start.character + 1 } };
    const found = this.findingsOf(this.version);
    await this.client.sendNotification(DidChangeTextDocumentNotification.type, {
      textDocument: { uri: this.uri, version: this.version },
      contentChanges: [{ range, text: isLetter ? 'x' : '' }]
    });
    return found;
  }

  ask(type) {
    const position = { line: this.line, character: this.character };
    return this.client.sendRequest(type, { textDocument: { uri: this.uri }, position });
  }
}

async function timesOf(count, action) {
  const times = [];
  for (let index = 0; index < count; index += 1) {
    const started = performance.now();
    await action();
    times.push(performance.now() - started);
  }
  // The first ones are those of code that was not compiled yet.
  return times.slice(Math.floor(count / 10));
}

export async function benchTyping({ folder, rounds }) {
  const { client, stop } = await startServer(folder);
  const rows = [['files', 'what', 'median', 'p99', 'budget of p99']];
  for (const count of [1000, 10_000]) {
    const uri = pathToFileURL(path.join(folder, String(count), 'manifest.json')).href;
    const typist = new Typist(client, uri, manifestText(count));
    await typist.opened;
    const keystrokes = rounds * (count === 1000 ? 100 : 20);
    const add = (what, times, budget) => {
      const figures = [0.5, 0.99].map((share) => `${percentileOf(times, share).toFixed(1)} ms`);
      rows.push([String(count), what, ...figures, count === 1000 ? budget : '']);
    };
    add('keystroke to findings', await timesOf(keystrokes, () => typist.type()), '< 30 ms');
    add('completion', await timesOf(keystrokes, () => typist.ask(CompletionRequest.type)), '< 15 ms');
    add('hover', await timesOf(keystrokes, () => typist.ask(HoverRequest.type)), '< 15 ms');
    const hoverAfterKey = async () => {
      void typist.type();
      await typist.ask(HoverRequest.type);
    };
    add('hover right after a keystroke', await timesOf(keystrokes, hoverAfterKey), '');
  }
  await stop();
  printTable(rows);
}

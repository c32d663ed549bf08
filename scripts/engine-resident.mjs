// Resident mode of the built language server, for which an sd-server has to lie beside sd-cli: one request that loads
// the model, one that finds it loaded, and its end.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { root } from './processes.mjs';
import { StepError } from './sample-run.mjs';

const REQUEST = { prompt: 'a lighthouse', width: 64, height: 64, steps: 2, seed: 7 };

/** What the product says when it looked for an sd-server and found none. */
const NO_SERVER = /There is no sd-server/;

/**
 * Makes the same image twice with a model that stays loaded, then unloads it. Without an sd-server nothing is checked,
 * which is said.
 * @param {{ home: string, engine: string, model: string, say: (line: string) => void }} resident
 * @throws {StepError}
 */
export async function tryResident({ home, engine, model, say }) {
  const server = await startServer({
    trusted: true,
    cacheRoot: home,
    sdCliPath: engine,
    engine: { resident: true }
  });
  try {
    const cold = await generate(server, model);
    const reason = cold.warnings.find((warning) => NO_SERVER.test(warning));
    if (reason !== undefined) {
      say(`resident mode, skipped: ${NO_SERVER.exec(reason)[0]} beside ${engine}`);
      return;
    }
    say(`resident mode, cold, ${inSeconds(cold.milliseconds)}`);
    await requireLoaded(server, [model]);
    const warm = await generate(server, model);
    say(`resident mode, warm, ${inSeconds(warm.milliseconds)}`);
    if (!(await pictureOf(warm.image)).equals(await pictureOf(cold.image))) {
      throw new StepError('resident mode: the same request made another image when the model was loaded already');
    }
    await server.request('diffusionDock/resident/unload', { name: model });
    await requireLoaded(server, []);
    say('resident mode, unloaded');
  } finally {
    await server.stop();
  }
}

async function generate(server, model) {
  const started = performance.now();
  const { images, warnings } = await server.request('diffusionDock/generate', { name: model, request: REQUEST });
  const milliseconds = performance.now() - started;
  if (images.length !== 1) throw new StepError(`resident mode: ${images.length} images instead of one`);
  const unexpected = warnings.find((warning) => !NO_SERVER.test(warning));
  if (unexpected !== undefined) throw new StepError(`resident mode: ${unexpected}`);
  return { image: images[0].path, warnings, milliseconds };
}

async function requireLoaded(server, expected) {
  const loaded = (await server.request('diffusionDock/resident/list')).map(({ model }) => model);
  if (loaded.join() === expected.join()) return;
  throw new StepError(`resident mode: loaded are [${loaded.join()}] instead of [${expected.join()}]`);
}

/** The compressed pixels of a PNG, without what it says of how it was made. */
async function pictureOf(file) {
  const bytes = await readFile(file);
  const parts = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (type === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  return Buffer.concat(parts);
}

/** The built language server, as an editor starts it. */
async function startServer(initializationOptions) {
  const { createProtocolConnection, StreamMessageReader, StreamMessageWriter } = await import(
    'vscode-languageserver-protocol/node'
  );
  const child = spawn(process.execPath, [path.join(root, 'dist', 'server.js'), '--stdio'], {
    stdio: ['pipe', 'pipe', 'inherit']
  });
  const ended = once(child, 'exit');
  const connection = createProtocolConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin)
  );
  connection.onUnhandledNotification(() => undefined);
  connection.listen();
  const request = async (method, ...params) => {
    try {
      return await connection.sendRequest(method, ...params);
    } catch (error) {
      throw new StepError(`${method} failed: ${error.message}`);
    }
  };
  await request('initialize', { processId: process.pid, rootUri: null, capabilities: {}, initializationOptions });
  await connection.sendNotification('initialized', {});
  return {
    request,
    async stop() {
      if (child.exitCode !== null) return;
      await request('shutdown');
      await connection.sendNotification('exit');
      await ended;
      connection.dispose();
    }
  };
}

const inSeconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`;

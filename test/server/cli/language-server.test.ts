import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node';
import { endProcessTree } from '../../../server/platform/child-process';
import { Generate, ManifestsInView, PullModel } from '../../../shared/protocol';
import { engineScript } from '../../support/engine-script';
import { CLI } from '../../support/run-cli';
import { sampleManifest } from '../../support/sample-services';
import { temporaryFolder } from '../../support/temporary-folder';
import { untilGone, untilWritten } from '../../unit/engine/processes';

/** Starts the server as an editor does. */
async function startServer(words: string, environment: Readonly<Record<string, string>> = {}) {
  const home = await temporaryFolder();
  const child = spawn(process.execPath, [CLI, '--home', home, ...words.split(' ')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...environment }
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin)
  );
  connection.listen();
  return { child, connection, ended: once(child, 'exit') };
}

it.each(['lsp --stdio', 'lsp'])('serves any editor over standard input and output as %s', async (words) => {
  const { connection, ended } = await startServer(words);
  const asked = { processId: null, rootUri: null, capabilities: {} };
  expect(await connection.sendRequest('initialize', asked)).toMatchObject({ capabilities: { hoverProvider: true } });
  await connection.sendRequest('shutdown');
  await connection.sendNotification('exit');
  expect(await ended).toEqual([0, null]);
});

it('takes its engine along when the editor vanishes without a word', async () => {
  const note = join(await temporaryFolder(), 'pid');
  // It prints nothing, so that it does not end by itself for want of somebody who reads.
  const during = `require('node:fs').writeFileSync(${JSON.stringify(note)}, String(process.pid));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`;
  const engine = await engineScript({ during });
  const { child, connection, ended } = await startServer('lsp --stdio', { DIFFUSION_DOCK_SD_CLI: engine });
  const initializationOptions = { trusted: true, hostFindsManifests: true };
  await connection.sendRequest('initialize', {
    processId: null,
    rootUri: null,
    capabilities: {},
    initializationOptions
  });
  await connection.sendNotification('initialized', {});
  const uris = [pathToFileURL(await sampleManifest()).href];
  await connection.sendNotification(ManifestsInView.method, { uris });
  await connection.sendRequest(PullModel.method, { name: 'tiny-sd1' });
  const request = { prompt: 'a lighthouse' };
  connection.sendRequest(Generate.method, { name: 'tiny-sd1', request }).catch(() => undefined);
  const pid = Number(await untilWritten(note));
  onTestFinished(() => endProcessTree(pid));
  child.stdin.end();
  await ended;
  await untilGone(pid);
});

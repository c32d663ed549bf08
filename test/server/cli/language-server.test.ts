import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node';
import { CLI } from '../../support/run-cli';
import { temporaryFolder } from '../../support/temporary-folder';

it.each(['lsp --stdio', 'lsp'])('serves any editor over standard input and output as %s', async (words) => {
  const home = await temporaryFolder();
  const child = spawn(process.execPath, [CLI, '--home', home, ...words.split(' ')], {
    stdio: ['pipe', 'pipe', 'inherit']
  });
  const ended = once(child, 'exit');
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin)
  );
  connection.listen();
  const asked = { processId: null, rootUri: null, capabilities: {} };
  expect(await connection.sendRequest('initialize', asked)).toMatchObject({ capabilities: { hoverProvider: true } });
  await connection.sendRequest('shutdown');
  await connection.sendNotification('exit');
  expect(await ended).toEqual([0, null]);
});

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';
import {
  createConnection,
  createProtocolConnection,
  InitializedNotification,
  type InitializeParams,
  InitializeRequest,
  ProposedFeatures,
  type ProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter
} from 'vscode-languageserver/node';
import { serveLanguage } from '../../server/lsp/serve-language';
import type { InitializationOptions } from '../../shared/initialization';
import { WORKER_SCRIPT } from './built-worker';
import { temporaryFolder } from './temporary-folder';

export interface TestConnection {
  readonly client: ProtocolConnection;
  /** The server's cache root. */
  readonly root: string;
  /** Says `initialize` and `initialized`. @param workspace absolute path of the only workspace folder, if there is one */
  start(
    options?: Partial<InitializationOptions>,
    capabilities?: InitializeParams['capabilities'],
    workspace?: string
  ): Promise<unknown>;
}

/** Runs the language server in this process and speaks LSP with it over a pair of streams. */
export async function testConnection(environment: Record<string, string> = {}): Promise<TestConnection> {
  const [near, far] = streamPair();
  const root = join(await temporaryFolder(), 'cache');
  await mkdir(root);
  const connection = createConnection(ProposedFeatures.all, new StreamMessageReader(far), new StreamMessageWriter(far));
  serveLanguage(connection, {
    environment: { PATH: process.env['PATH'], ...environment },
    workerScript: WORKER_SCRIPT,
    documentation: 'file:///docs/diagnostics/',
    version: '0.0.0-test'
  });
  const client = createProtocolConnection(new StreamMessageReader(near), new StreamMessageWriter(near));
  client.onUnhandledNotification(() => undefined);
  client.listen();
  onTestFinished(async () => {
    await client.sendRequest('shutdown');
    client.dispose();
    connection.dispose();
  });
  return {
    client,
    root,
    async start(options = {}, capabilities = {}, workspace?: string) {
      const initializationOptions = { trusted: true, cacheRoot: root, ...options };
      const rootUri = workspace === undefined ? null : pathToFileURL(workspace).href;
      const params: InitializeParams = { processId: null, rootUri, capabilities, initializationOptions };
      const answer = await client.sendRequest(InitializeRequest.type, params);
      await client.sendNotification(InitializedNotification.type, {});
      return answer;
    }
  };
}

/** Two ends: what is written to one is read from the other. */
function streamPair(): readonly [Duplex, Duplex] {
  const ends: Duplex[] = [];
  const end = (other: 0 | 1): Duplex =>
    new Duplex({
      read: () => undefined,
      write(chunk, _encoding, done) {
        ends[other]?.push(chunk);
        done();
      }
    });
  ends.push(end(1), end(0));
  const [near, far] = ends;
  if (!near || !far) throw new Error('a pair has two ends');
  return [near, far];
}

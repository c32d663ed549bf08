import { join } from 'node:path';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { version } from '../package.json';
import { serveLanguage } from './lsp/serve-language';

/** The language server's entry: talks over what the command line names (`--node-ipc`, `--stdio`, …). */
serveLanguage(createConnection(ProposedFeatures.all), {
  environment: process.env,
  workerScript: join(__dirname, 'worker.js'),
  version
});

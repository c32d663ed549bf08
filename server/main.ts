import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { version } from '../package.json';
import { serveLanguage } from './lsp/serve-language';

/** The language server's entry: talks over what the command line names (`--node-ipc`, `--stdio`, …). */
serveLanguage(createConnection(ProposedFeatures.all), {
  environment: process.env,
  workerScript: join(__dirname, 'worker.js'),
  documentation: pathToFileURL(join(__dirname, '../docs/diagnostics/')).href,
  version
});

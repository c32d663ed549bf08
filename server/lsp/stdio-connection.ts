import { type Connection, createConnection, ProposedFeatures } from 'vscode-languageserver/node';

/** A connection to the client by standard input and output, for any editor. */
export function stdioConnection(): Connection {
  return createConnection(ProposedFeatures.all, process.stdin, process.stdout);
}

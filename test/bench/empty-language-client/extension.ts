import { LanguageClient, TransportKind } from 'vscode-languageclient/node';

/** The least an extension with a language server does: what the benchmark of activation compares with. */
export function activate(context: { asAbsolutePath(file: string): string }): void {
  const server = { module: context.asAbsolutePath('server.js'), transport: TransportKind.ipc };
  const client = new LanguageClient('emptyLanguageClient', 'Empty Language Client', server, {
    documentSelector: [{ pattern: '**/manifest.json' }]
  });
  void client.start();
}

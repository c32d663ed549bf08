import { CodeLensRefreshRequest, type Connection, type InitializeParams } from 'vscode-languageserver';

/**
 * Asks the editor to look anew at what depends on more than a text: findings, lenses, hints. An editor that cannot
 * be asked looks again when it likes.
 */
export function viewRefresher(connection: Connection, { capabilities: { workspace } }: InitializeParams): () => void {
  const requests = [
    ...(workspace?.diagnostics?.refreshSupport ? [() => connection.languages.diagnostics.refresh()] : []),
    ...(workspace?.codeLens?.refreshSupport ? [() => connection.sendRequest(CodeLensRefreshRequest.type)] : []),
    ...(workspace?.inlayHint?.refreshSupport ? [() => connection.languages.inlayHint.refresh()] : [])
  ];
  return () => {
    for (const request of requests) request().catch(() => undefined);
  };
}

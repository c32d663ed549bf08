import { type Disposable, workspace } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { TransferLimitsChanged } from '../../shared/protocol';
import type { ServerConnection } from './server-connection';
import { affectsTransferLimits, transferLimits } from './settings';

/** Tells the server what transfers may take of the network by now. */
export async function sendTransferLimits(client: LanguageClient): Promise<void> {
  await client.sendNotification(TransferLimitsChanged, transferLimits());
}

/** Limits hold for what is running already, so that a change needs no restart. */
export function followTransferLimits(server: ServerConnection): Disposable {
  return workspace.onDidChangeConfiguration((event) => {
    const client = server.runningClient();
    if (client && affectsTransferLimits(event)) void sendTransferLimits(client);
  });
}

import { type Disposable, workspace } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { SeveritiesChanged, TransferLimitsChanged } from '../../shared/protocol';
import type { ServerConnection } from './server-connection';
import { affectsManifestSeverity, affectsTransferLimits, manifestSeverity, transferLimits } from './settings';

/** Tells the server the settings that may have changed while it started. */
export async function sendLiveSettings(client: LanguageClient): Promise<void> {
  await client.sendNotification(TransferLimitsChanged, transferLimits());
  await client.sendNotification(SeveritiesChanged, manifestSeverity());
}

/** Settings that hold for what is running already, so that a change needs no restart. */
export function followLiveSettings(server: ServerConnection): Disposable {
  return workspace.onDidChangeConfiguration((event) => {
    const client = server.runningClient();
    if (!client) return;
    if (affectsTransferLimits(event)) void client.sendNotification(TransferLimitsChanged, transferLimits());
    if (affectsManifestSeverity(event)) void client.sendNotification(SeveritiesChanged, manifestSeverity());
  });
}

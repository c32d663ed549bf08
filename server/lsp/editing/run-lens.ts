import { type Connection, MessageType } from 'vscode-languageserver';
import { LENS_COMMANDS } from '../../../shared/protocol';
import { findModel } from '../../operations/models/known-models';
import { pullModel } from '../../operations/pull/pull-model';
import type { Services } from '../../operations/services';
import { verifyModel } from '../../operations/verify-and-heal/verify-model';
import { tell, tellFailure } from './editor-messages';

/** The lens commands that the server runs itself, for editors that know nothing of us. Generating needs a prompt. */
export const SERVER_COMMANDS: readonly string[] = [LENS_COMMANDS.pull, LENS_COMMANDS.verify];

/** Runs lens commands with the editor's own progress and messages. */
export function serveLensCommands(connection: Connection, services: Services, onChange: () => void): void {
  connection.onExecuteCommand(async ({ command, arguments: words = [] }) => {
    const name: unknown = words[0];
    if (typeof name !== 'string' || !SERVER_COMMANDS.includes(command)) return;
    const progress = await connection.window.createWorkDoneProgress();
    const controller = new AbortController();
    progress.token.onCancellationRequested(() => controller.abort());
    try {
      const { signal } = controller;
      if (command === LENS_COMMANDS.pull) await pull(services, name, progress, signal);
      else await verify(connection, services, name, progress, signal);
    } catch (error) {
      tellFailure(connection, services.log, command, error);
    } finally {
      progress.done();
      onChange();
    }
  });
}

type Progress = Awaited<ReturnType<Connection['window']['createWorkDoneProgress']>>;

async function pull(services: Services, name: string, progress: Progress, signal: AbortSignal): Promise<void> {
  progress.begin(`Pulling ${name}`, 0, undefined, true);
  await pullModel(services, await findModel(services, name), {
    signal,
    onEvent(event) {
      if (event.type !== 'file_progress') return;
      const { totalReceivedBytes: received, totalBytes: total, filename } = event;
      if (total) progress.report(Math.floor((received / total) * 100), filename);
      else progress.report(filename);
    }
  });
}

async function verify(
  connection: Connection,
  services: Services,
  name: string,
  progress: Progress,
  signal: AbortSignal
): Promise<void> {
  progress.begin(`Verifying ${name}`, 0, undefined, true);
  const report = await verifyModel(services, await findModel(services, name), {
    depth: 'deep',
    signal,
    onProgress: ({ hashedBytes, totalBytes }) => progress.report(Math.floor((hashedBytes / (totalBytes || 1)) * 100))
  });
  const wrong = report.files.filter(({ verdict }) => verdict === 'corrupt').map(({ path }) => path);
  if (report.healthy) tell(connection, MessageType.Info, `${name} is sound.`);
  else tell(connection, MessageType.Warning, `${name} is damaged: ${[...wrong, ...report.problems].join(', ')}`);
}

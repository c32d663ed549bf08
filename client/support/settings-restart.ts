import { Disposable, type LogOutputChannel, window, workspace } from 'vscode';
import type { RunningJobs } from '../models/running-jobs';
import { sayFailed } from './messages';
import type { ServerConnection } from './server-connection';
import { affectsOurSettings } from './settings';

export interface SettingsRestartParts {
  readonly connection: ServerConnection;
  readonly jobs: RunningJobs;
  readonly log: LogOutputChannel;
  /** What must know the new settings before the server does. */
  readonly beforeRestart: () => Promise<void>;
}

/** The server reads settings at its start: a change restarts it, or waits for what is running to end. */
export function restartOnSettingsChange(parts: SettingsRestartParts): Disposable {
  let isWaiting = false;
  const apply = async (): Promise<void> => {
    try {
      await parts.beforeRestart();
      // A job that began meanwhile would be gone without a word.
      isWaiting = parts.jobs.all().length > 0;
      if (isWaiting) return;
      if (parts.connection.state !== 'idle') await parts.connection.restart();
    } catch (error) {
      sayFailed(parts.log, error);
    }
  };
  return Disposable.from(
    workspace.onDidChangeConfiguration((event) => {
      if (!affectsOurSettings(event)) return;
      isWaiting = parts.jobs.all().length > 0;
      if (!isWaiting) void apply();
      else void window.showInformationMessage('The changed settings take effect when the running job is done.');
    }),
    parts.jobs.onDidChange(() => {
      if (!isWaiting || parts.jobs.all().length > 0) return;
      isWaiting = false;
      void apply();
    })
  );
}

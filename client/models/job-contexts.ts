import { commands, type Disposable } from 'vscode';
import { PULL_IS_PAUSED, PULL_RUNS } from '../support/commands';
import type { RunningJobs } from './running-jobs';

/** Keeps the context keys that offer "Pause Pull" and "Resume Pull" in the palette. */
export function followPullsInContexts(jobs: RunningJobs): Disposable {
  const shown = new Map<string, boolean>();
  const set = (key: string, value: boolean): void => {
    if (shown.get(key) === value) return;
    shown.set(key, value);
    void commands.executeCommand('setContext', key, value);
  };
  return jobs.onDidChange(() => {
    set(PULL_RUNS, jobs.pulls({ paused: false }).length > 0);
    set(PULL_IS_PAUSED, jobs.pulls({ paused: true }).length > 0);
  });
}

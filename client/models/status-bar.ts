import { type Disposable, StatusBarAlignment, window } from 'vscode';
import { SHOW_MODELS } from '../support/commands';
import type { RunningJob, RunningJobs } from './running-jobs';

/** Shows what runs, on the left of the status bar, while something runs. */
export function showJobsInStatusBar(jobs: RunningJobs): Disposable {
  const item = window.createStatusBarItem('diffusionDock.jobs', StatusBarAlignment.Left);
  item.name = 'Diffusion Dock';
  item.command = SHOW_MODELS;
  item.tooltip = 'Show the models';
  const subscription = jobs.onDidChange(() => {
    const [first, ...others] = jobs.all();
    if (!first) {
      item.hide();
      return;
    }
    const icon = first.progress?.isPaused ? 'debug-pause' : 'sync~spin';
    item.text = `$(${icon}) ${jobText(first)}${others.length > 0 ? ` +${others.length}` : ''}`;
    item.show();
  });
  return {
    dispose: () => {
      subscription.dispose();
      item.dispose();
    }
  };
}

function jobText({ model, doing, progress }: RunningJob): string {
  if (!progress) return model;
  const { fraction, brief, isPaused } = progress;
  return doing === 'pull' && fraction !== undefined && !isPaused
    ? `${model} ${Math.floor(fraction * 100)} %`
    : `${model} ${brief}`;
}

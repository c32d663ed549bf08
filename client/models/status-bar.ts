import { type Disposable, MarkdownString, StatusBarAlignment, window } from 'vscode';
import { SHOW_MODELS } from '../support/commands';
import { withPreview } from './preview-text';
import type { RunningJob, RunningJobs } from './running-jobs';

const SHOW = 'Show the models';

/** Shows what runs, on the left of the status bar, while something runs. */
export function showJobsInStatusBar(jobs: RunningJobs): Disposable {
  const item = window.createStatusBarItem('diffusionDock.jobs', StatusBarAlignment.Left);
  item.name = 'Diffusion Dock';
  item.command = SHOW_MODELS;
  const subscription = jobs.onDidChange(() => {
    const [first, ...others] = jobs.all();
    if (!first) {
      item.hide();
      return;
    }
    const icon = first.progress?.isPaused ? 'debug-pause' : 'sync~spin';
    item.text = `$(${icon}) ${jobText(first)}${others.length > 0 ? ` +${others.length}` : ''}`;
    item.tooltip = first.preview === undefined ? SHOW : withPreview(new MarkdownString(SHOW), first.preview);
    item.show();
  });
  return {
    dispose: () => {
      subscription.dispose();
      item.dispose();
    }
  };
}

function jobText({ name, doing, progress }: RunningJob): string {
  if (!progress) return name;
  const { fraction, brief, isPaused } = progress;
  return doing === 'pull' && fraction !== undefined && !isPaused
    ? `${name} ${Math.floor(fraction * 100)} %`
    : `${name} ${brief}`;
}

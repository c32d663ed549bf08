import { ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState, Uri } from 'vscode';
import type { BatchSummary } from '../../shared/batch';
import { agoText } from '../../shared/byte-text';
import type { JobKind, RunningJob } from '../models/running-jobs';
import { COMMANDS } from '../support/commands';
import { type BatchImageNode, type BatchNode, type JobNode, jobId } from './job-node';

/**
 * How a row looks, told from its state alone.
 * @param run the run of a batch in this window
 */
export function jobItem(node: JobNode, run: RunningJob | undefined): TreeItem {
  const item = itemOf(node, run);
  item.id = jobId(node);
  return item;
}

function itemOf(node: JobNode, run: RunningJob | undefined): TreeItem {
  switch (node.kind) {
    case 'batch':
      return batchItem(node, run);
    case 'batch-image':
      return imageItem(node);
    case 'job':
      return otherItem(node.job);
  }
}

function batchItem(node: BatchNode, run: RunningJob | undefined): TreeItem {
  const { batch } = node;
  const state = stateOf(batch, run);
  const hasImages = state === 'done' && batch.done > 0;
  const { Collapsed, None } = TreeItemCollapsibleState;
  const item = new TreeItem(batch.job, hasImages ? Collapsed : None);
  item.iconPath = batchIcon(batch, run);
  item.description = batchText(batch, run);
  item.tooltip = tooltip(batch, item.description);
  item.contextValue = `batch:${state}`;
  if (!hasImages) item.command = { command: COMMANDS.openBatchFile, title: 'Open Batch File', arguments: [node] };
  item.accessibilityInformation = { label: `batch ${batch.job}, ${item.description}` };
  return item;
}

function imageItem({ image, position }: BatchImageNode): TreeItem {
  const item = new TreeItem(image.prompt, TreeItemCollapsibleState.None);
  item.iconPath = new ThemeIcon('file-media');
  item.description = String(position);
  item.tooltip = `${image.prompt}\n${image.path}`;
  item.contextValue = 'batch-image';
  item.command = { command: 'vscode.open', title: 'Open Image', arguments: [Uri.file(image.path)] };
  item.accessibilityInformation = { label: `image ${position}, ${image.prompt}` };
  return item;
}

/** `elsewhere`: in another window or on the command line, where alone it can be stopped. */
function stateOf({ state, isHere }: BatchSummary, run: RunningJob | undefined): string {
  if (run) return 'here';
  return state === 'running' && !isHere ? 'elsewhere' : state;
}

/** Where a batch is, in a few words. */
function batchText(batch: BatchSummary, run: RunningJob | undefined): string {
  const { state, items, done, failed, startedAtUnixMs } = batch;
  const passedOver = failed === 0 ? [] : [`${failed} passed over`];
  if (run) return run.progress?.brief ?? 'starting';
  const images = done === items ? `${items} ${items === 1 ? 'image' : 'images'}` : `${done} of ${items} images`;
  switch (state) {
    case 'running':
      return ['runs elsewhere', images, ...passedOver].join(' · ');
    case 'stopped':
      return ['stopped', images, ...passedOver].join(' · ');
    case 'done':
      return [images, ...passedOver, `begun ${agoText(startedAtUnixMs, Date.now())}`].join(' · ');
  }
}

function batchIcon({ state, failed }: BatchSummary, run: RunningJob | undefined): ThemeIcon {
  if (run || state === 'running') return new ThemeIcon('sync~spin');
  if (state === 'stopped') return new ThemeIcon('debug-pause');
  return failed > 0
    ? new ThemeIcon('warning', new ThemeColor('list.warningForeground'))
    : new ThemeIcon('pass-filled', new ThemeColor('testing.iconPassed'));
}

function tooltip({ job, file, store, current }: BatchSummary, text: string): string {
  const making = current === undefined ? [] : [`${current.item}: ${current.prompt} (${current.model})`];
  return [`${job}: ${text}`, ...making, `File: ${file}`, `Checkpoint: ${store}`].join('\n');
}

const DOES: Readonly<Record<JobKind, string>> = {
  plan: 'pull plan',
  pull: 'pull',
  verify: 'verify',
  heal: 'heal',
  generate: 'generate',
  drop: 'remove',
  install: 'install',
  convert: 'convert',
  publish: 'publish',
  batch: 'batch'
};

function otherItem({ name, kind, progress }: RunningJob): TreeItem {
  const item = new TreeItem(name, TreeItemCollapsibleState.None);
  item.iconPath = new ThemeIcon(progress?.isPaused ? 'debug-pause' : 'sync~spin');
  item.description = [DOES[kind], ...(progress ? [progress.brief] : [])].join(' · ');
  item.tooltip = progress ? `${name}: ${progress.detail}` : name;
  item.contextValue = kind === 'drop' ? 'job' : 'job:cancellable';
  item.accessibilityInformation = { label: `${name}, ${item.description}` };
  return item;
}

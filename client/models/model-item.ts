import { MarkdownString, ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState, Uri } from 'vscode';
import { agoText, byteText } from '../../shared/byte-text';
import { conversionText } from '../../shared/conversion';
import { isUpscaler, type ModelFile, type ModelStatus, type ModelSummary } from '../../shared/model';
import { COMMANDS } from '../support/commands';
import type { ModelNode, TreeNode } from './model-node';
import { withPreview } from './preview-text';
import type { JobKind, RunningJob } from './running-jobs';

/** How a node looks, told from its state alone. */
export function treeItem(node: TreeNode, job: RunningJob | undefined): TreeItem {
  return node.kind === 'model' ? modelItem(node, job) : fileItem(node.model, node.file);
}

/** What tells the row of a model from others: manifests with mistakes may be called alike. */
export function rowId({ name, status, manifestUri }: ModelSummary): string {
  return (status === 'invalid' ? manifestUri : undefined) ?? name;
}

interface Look {
  readonly word: string;
  readonly icon: string;
  readonly colour?: string;
}

const LOOKS: Readonly<Record<ModelStatus, Look>> = {
  registered: { word: 'not installed', icon: 'cloud-download' },
  installed: { word: 'installed', icon: 'pass-filled', colour: 'testing.iconPassed' },
  missing: { word: 'files missing', icon: 'warning', colour: 'list.warningForeground' },
  unhealthy: { word: 'damaged', icon: 'error', colour: 'list.errorForeground' },
  outdated: { word: 'outdated', icon: 'history', colour: 'list.warningForeground' },
  invalid: { word: 'manifest has problems', icon: 'warning', colour: 'list.warningForeground' }
};

/** Of a model that was made here and can only be made again. */
const REMOVED: Look = { word: 'removed', icon: 'circle-slash' };

const PARTLY = 'partly pulled';

function modelItem(node: ModelNode, job: RunningJob | undefined): TreeItem {
  const { model } = node;
  const look = lookOf(model);
  const isInvalid = model.status === 'invalid';
  const item = new TreeItem(model.name, isInvalid ? TreeItemCollapsibleState.None : TreeItemCollapsibleState.Collapsed);
  if (isInvalid) item.command = { command: COMMANDS.openManifest, title: 'Open Manifest', arguments: [node] };
  item.id = rowId(model);
  item.iconPath = job ? jobIcon(job) : statusIcon(look);
  item.description = job ? jobText(job) : restingText(model, look);
  item.tooltip = withPreview(tooltip(model, look.word), job?.preview);
  item.contextValue = contextValue(model, job);
  item.accessibilityInformation = { label: `${model.name}, ${item.description}` };
  return item;
}

function fileItem(model: ModelSummary, { path, role, bytes, present }: ModelFile): TreeItem {
  const item = new TreeItem(path, TreeItemCollapsibleState.None);
  item.id = `${model.name}/${path}`;
  item.iconPath = present
    ? new ThemeIcon('check', new ThemeColor('testing.iconPassed'))
    : new ThemeIcon('circle-outline', new ThemeColor('disabledForeground'));
  item.description = withSize(role ?? 'file', bytes);
  item.tooltip = `${path} is ${present ? 'installed' : 'not installed'}.`;
  item.contextValue = 'file';
  item.accessibilityInformation = {
    label: `${path}, ${item.description}, ${present ? 'installed' : 'not installed'}`
  };
  return item;
}

/** A model that is on its way looks so; one that is there looks as it is. */
function lookOf({ status, unfinished, madeHere }: ModelSummary): Look {
  const look = status === 'registered' && madeHere ? REMOVED : LOOKS[status];
  if (!unfinished) return look;
  if (unfinished.kind === 'elsewhere') return { word: 'being pulled elsewhere', icon: 'sync' };
  return status === 'registered' || status === 'missing' ? { ...look, word: PARTLY } : look;
}

function restingText({ bytes, unfinished }: ModelSummary, { word }: Look): string {
  if (unfinished?.kind !== 'partial' || word !== PARTLY) return withSize(word, bytes);
  const held = byteText(unfinished.heldBytes);
  return `${word} · ${bytes === undefined ? held : `${held} of ${byteText(bytes)}`}`;
}

function statusIcon({ icon, colour }: Look): ThemeIcon {
  return colour === undefined ? new ThemeIcon(icon) : new ThemeIcon(icon, new ThemeColor(colour));
}

const STARTING: Readonly<Record<JobKind, string>> = {
  plan: 'looking up sizes…',
  pull: 'starting',
  verify: 'verifying',
  heal: 'healing',
  generate: 'starting',
  drop: 'removing',
  install: 'starting',
  convert: 'starting',
  publish: 'publishing',
  batch: 'starting'
};

function jobText({ kind, progress }: RunningJob): string {
  if (progress) return progress.brief;
  return STARTING[kind];
}

function jobIcon({ progress }: RunningJob): ThemeIcon {
  return new ThemeIcon(progress?.isPaused ? 'debug-pause' : 'sync~spin');
}

function withSize(words: string, bytes: number | undefined): string {
  return bytes === undefined ? words : `${words} · ${byteText(bytes)}`;
}

/** Facts for the `when` clauses of menus: status, whether a job runs and which, and what there is to open. */
function contextValue(model: ModelSummary, job: RunningJob | undefined): string {
  const { status, manifestUri, folder, unfinished, madeHere } = model;
  const facts = ['model', status, job ? 'busy' : 'idle'];
  if (job?.doing === 'pull') facts.push(job.progress?.isPaused ? 'paused' : 'pulling');
  if (manifestUri !== undefined) facts.push('manifest');
  if (folder !== undefined) facts.push('folder');
  if (unfinished?.kind === 'partial') facts.push('partial');
  if (madeHere) facts.push('made');
  if (isUpscaler(model)) facts.push('upscaler');
  return facts.join(':');
}

function tooltip(
  { name, reason, task, bytes, files, folder, manifestUri, checkedAt, unfinished, madeHere }: ModelSummary,
  word: string
): MarkdownString {
  const text = new MarkdownString();
  text.appendText(name).appendMarkdown(`: ${word}`);
  if (reason !== undefined) text.appendMarkdown('\n\n').appendText(reason);
  const amount = `${files.length} ${files.length === 1 ? 'file' : 'files'}`;
  text.appendMarkdown(`\n\n${bytes === undefined ? amount : `${amount}, ${byteText(bytes)}`}`);
  const facts = [
    ['Received', unfinished?.kind === 'partial' ? byteText(unfinished.heldBytes) : undefined],
    ['Task', task],
    ['Made here', madeHere && conversionText(madeHere)],
    ['Read and found right', checkedAt === undefined ? undefined : agoText(checkedAt, Date.now())],
    ['Folder', folder],
    ['Manifest', manifestUri === undefined ? undefined : Uri.parse(manifestUri).fsPath]
  ] as const;
  for (const [label, value] of facts) {
    if (value !== undefined) text.appendMarkdown(`\n\n${label}: `).appendText(value);
  }
  return text;
}

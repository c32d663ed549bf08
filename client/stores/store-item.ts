import { ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState } from 'vscode';
import { agoText, byteText } from '../../shared/byte-text';
import type { RunningJob } from '../models/running-jobs';
import { COMMANDS } from '../support/commands';
import { sentenceOf } from '../support/failures';
import type { ConfiguredStore, PublicationNode, StoreTreeNode, StoreTroubleNode } from './store-node';

/**
 * How a row looks, told from its state and the job on it.
 * @param differs whether another content of the publication's name is installed
 */
export function storeTreeItem(node: StoreTreeNode, job: RunningJob | undefined, differs: boolean): TreeItem {
  switch (node.kind) {
    case 'store':
      return storeItem(node.store);
    case 'publication':
      return publicationItem(node, job, differs);
    case 'store-trouble':
      return troubleItem(node);
    case 'store-empty':
      return emptyItem(node.store);
  }
}

function storeItem({ name, url }: ConfiguredStore): TreeItem {
  const item = new TreeItem(name, TreeItemCollapsibleState.Collapsed);
  item.id = `store ${name}`;
  item.iconPath = new ThemeIcon(url.startsWith('file:') ? 'folder-library' : 'cloud');
  item.description = url === '' ? 'has no valid address' : url;
  item.tooltip = `Team store ${name}\n${item.description}`;
  item.contextValue = 'store';
  item.accessibilityInformation = { label: `team store ${name}, ${item.description}` };
  return item;
}

function publicationItem(node: PublicationNode, job: RunningJob | undefined, differs: boolean): TreeItem {
  const { store, publication } = node;
  const { name, bytes, files, combined, publishedAtUnixMs } = publication;
  const published = agoText(publishedAtUnixMs, Date.now());
  const state = stateOf(publication);
  const stateText = state === 'absent' && differs ? 'differs from the installed model' : STATE_TEXTS[state];
  const item = new TreeItem(name, TreeItemCollapsibleState.None);
  item.id = `store ${store.name} publication ${name}`;
  item.iconPath = job ? new ThemeIcon('sync~spin') : new ThemeIcon(...STATE_ICONS[state]);
  item.description = job ? jobText(job) : [stateText, byteText(bytes), published].join(' · ');
  const amount = `${files} ${files === 1 ? 'file' : 'files'}, ${byteText(bytes)}`;
  item.tooltip = [
    `${name} in ${store.name}: ${stateText}`,
    amount,
    `Published ${published}`,
    `Content ${combined}`
  ].join('\n');
  item.contextValue = ['publication', ...jobFacts(job), state].join(':');
  item.accessibilityInformation = { label: `${name} in ${store.name}, ${item.description}` };
  return item;
}

/** What a publication is here; the `when` clauses of menus know it by this word. */
type PublicationState = 'installed' | 'absent' | 'results';

function stateOf({ holds, isInstalled }: PublicationNode['publication']): PublicationState {
  if (holds === 'results') return 'results';
  return isInstalled ? 'installed' : 'absent';
}

const STATE_TEXTS: Readonly<Record<PublicationState, string>> = {
  installed: 'installed',
  absent: 'not installed',
  results: 'results of a batch'
};

const STATE_ICONS: Readonly<Record<PublicationState, readonly [id: string, color?: ThemeColor]>> = {
  installed: ['pass-filled', new ThemeColor('testing.iconPassed')],
  absent: ['cloud-download'],
  results: ['file-media']
};

/** For the `when` clauses of menus: what is removed cannot be cancelled. */
function jobFacts(job: RunningJob | undefined): string[] {
  return job ? ['busy', job.kind] : ['idle'];
}

function jobText({ kind, progress }: RunningJob): string {
  return progress?.brief ?? (kind === 'drop' ? 'removing' : 'starting');
}

function troubleItem(node: StoreTroubleNode): TreeItem {
  const sentence = sentenceOf(node.thrown);
  const item = new TreeItem(sentence, TreeItemCollapsibleState.None);
  item.id = `store ${node.store.name} trouble`;
  item.iconPath = new ThemeIcon('warning', new ThemeColor('list.warningForeground'));
  item.tooltip = sentence;
  item.contextValue = 'store-trouble';
  // The whole sentence, with the ways out of it.
  item.command = { command: COMMANDS.explainStoreTrouble, title: 'Explain', arguments: [node] };
  return item;
}

function emptyItem({ name }: ConfiguredStore): TreeItem {
  const item = new TreeItem('Nothing is published here yet.', TreeItemCollapsibleState.None);
  item.id = `store ${name} empty`;
  item.contextValue = 'store-empty';
  return item;
}

import { ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState } from 'vscode';
import { agoText, byteText } from '../../shared/byte-text';
import type { HubCacheFile, HubCacheRepository, HubCacheRevision, HubCacheVerdict } from '../../shared/hub-cache';
import type { Verdict } from '../../shared/model';
import type { RunningJob } from '../models/running-jobs';
import type { CacheList } from './cache-list';
import { type CacheNode, referenceOf } from './cache-node';

/** How a row looks, told from its state, the last verdicts, and the job on it. */
export function cacheItem(node: CacheNode, list: CacheList, job: RunningJob | undefined): TreeItem {
  switch (node.kind) {
    case 'repository':
      return repositoryItem(node.repository, list, job);
    case 'revision':
      return revisionItem(node.repository, node.revision, list, job);
    case 'file':
      return fileItem(node.repository, node.revision, node.file, list);
  }
}

const ICONS = { model: 'package', dataset: 'database', space: 'rocket' } as const;

function repositoryItem(repository: HubCacheRepository, list: CacheList, job: RunningJob | undefined): TreeItem {
  const { reference, kind, name, bytes, revisions, lastUsedAtUnixMs, problems, incomplete, unreferenced } = repository;
  const item = new TreeItem(name, TreeItemCollapsibleState.Collapsed);
  item.id = reference;
  const worst = worstOf(revisions.flatMap((revision) => verdictsOf(repository, revision, list)));
  item.iconPath = icon(job, worst, ICONS[kind]);
  const facts = [byteText(bytes), ...(lastUsedAtUnixMs === 0 ? [] : [`used ${agoText(lastUsedAtUnixMs, Date.now())}`])];
  item.description = job ? jobText(job) : withVerdict(worst, facts);
  const left = [...incomplete, ...unreferenced].reduce((sum, remnant) => sum + remnant.bytes, 0);
  const lines = problems.map(({ path, reason }) => `${path}: ${reason}`);
  if (left > 0) lines.push(`${byteText(left)} of unfinished downloads and unused contents`);
  item.tooltip = [reference, ...lines].join('\n');
  item.contextValue = `hub-repository:${job ? 'busy' : 'idle'}`;
  item.accessibilityInformation = { label: `${kind} ${name}, ${item.description}` };
  return item;
}

function revisionItem(
  repository: HubCacheRepository,
  revision: HubCacheRevision,
  list: CacheList,
  job: RunningJob | undefined
): TreeItem {
  const { commit, refs, bytes, files, modifiedAtUnixMs } = revision;
  const name = refs[0] ?? commit.slice(0, 12);
  const item = new TreeItem(name, TreeItemCollapsibleState.Collapsed);
  item.id = referenceOf({ kind: 'revision', repository, revision });
  const worst = worstOf(verdictsOf(repository, revision, list));
  item.iconPath = icon(job, worst, refs.length === 0 ? 'git-commit' : 'git-branch');
  const count = `${files.length} ${files.length === 1 ? 'file' : 'files'}`;
  item.description = job
    ? jobText(job)
    : withVerdict(worst, [count, byteText(bytes), agoText(modifiedAtUnixMs, Date.now())]);
  item.tooltip = [commit, ...refs].join('\n');
  item.contextValue = `hub-revision:${job ? 'busy' : 'idle'}`;
  item.accessibilityInformation = { label: `revision ${name}, ${item.description}` };
  return item;
}

function fileItem(
  repository: HubCacheRepository,
  revision: HubCacheRevision,
  file: HubCacheFile,
  list: CacheList
): TreeItem {
  const { path, bytes, problem } = file;
  const verdict = verdictOf(repository, revision, file, list);
  const item = new TreeItem(path, TreeItemCollapsibleState.None);
  item.id = `${referenceOf({ kind: 'revision', repository, revision })}/${path}`;
  item.iconPath = icon(undefined, verdict?.verdict, 'file');
  item.description = withVerdict(verdict?.verdict, bytes === undefined ? [] : [byteText(bytes)]);
  item.tooltip = [path, verdict?.reason ?? problem ?? ''].join('\n').trim();
  item.contextValue = 'hub-file';
  item.accessibilityInformation = { label: `${path}, ${item.description}` };
  return item;
}

const LOOKS: Readonly<Record<Verdict, { readonly icon: string; readonly colour: string }>> = {
  verified: { icon: 'pass-filled', colour: 'testing.iconPassed' },
  unverifiable: { icon: 'question', colour: 'disabledForeground' },
  corrupt: { icon: 'error', colour: 'list.errorForeground' }
};

function icon(job: RunningJob | undefined, verdict: Verdict | undefined, otherwise: string): ThemeIcon {
  if (job) return new ThemeIcon('sync~spin');
  if (verdict === undefined) return new ThemeIcon(otherwise);
  return new ThemeIcon(LOOKS[verdict].icon, new ThemeColor(LOOKS[verdict].colour));
}

function jobText({ kind, progress }: RunningJob): string {
  return progress?.brief ?? (kind === 'drop' ? 'deleting' : 'starting');
}

function withVerdict(verdict: Verdict | undefined, facts: readonly string[]): string {
  return [...(verdict === undefined ? [] : [verdict]), ...facts].join(' · ');
}

/** What nothing lies behind is corrupt, whether somebody asked for a verdict or not. */
function verdictOf(
  { reference }: HubCacheRepository,
  revision: HubCacheRevision,
  { path, bytes, problem }: HubCacheFile,
  list: CacheList
): Pick<HubCacheVerdict, 'verdict' | 'reason'> | undefined {
  const known = list.verdictOn(reference, revision, path);
  if (known) return known;
  if (bytes !== undefined || problem === undefined) return undefined;
  return { verdict: problem.includes('out of the cache') ? 'unverifiable' : 'corrupt', reason: problem };
}

function verdictsOf(
  repository: HubCacheRepository,
  revision: HubCacheRevision,
  list: CacheList
): readonly (Verdict | undefined)[] {
  return revision.files.map((file) => verdictOf(repository, revision, file, list)?.verdict);
}

/** Nothing is said of a whole of which a part was not looked at, unless that one is corrupt. */
function worstOf(verdicts: readonly (Verdict | undefined)[]): Verdict | undefined {
  if (verdicts.includes('corrupt')) return 'corrupt';
  if (verdicts.length === 0 || verdicts.includes(undefined)) return undefined;
  return verdicts.includes('unverifiable') ? 'unverifiable' : 'verified';
}

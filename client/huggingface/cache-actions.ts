import { commands, env, type LogOutputChannel, type MessageItem, Uri, window } from 'vscode';
import { byteText } from '../../shared/byte-text';
import type { HubCacheDeletion, HubCacheHealing, HubCacheReport } from '../../shared/hub-cache';
import { DropFromHubCache, HealHubCache, PruneHubCache, VerifyHubCache } from '../../shared/protocol';
import type { RunningJobs } from '../models/running-jobs';
import { sayDone, sayFailed, sayWarning } from '../support/messages';
import type { ServerConnection } from '../support/server-connection';
import type { CacheList } from './cache-list';
import { type CacheNode, type CacheTarget, referenceOf } from './cache-node';

/** What the actions on the Hugging Face cache work with. */
export interface CacheParts {
  readonly connection: ServerConnection;
  readonly cache: CacheList;
  readonly jobs: RunningJobs;
  readonly log: LogOutputChannel;
}

/** Says of every file of a repository or revision whether it is what it should be. Reads only. */
export async function verifyCached(parts: CacheParts, node: CacheTarget): Promise<void> {
  const reference = referenceOf(node);
  const about = nameOf(node);
  try {
    const job = { model: reference, kind: 'verify', title: `Verifying ${about}` } as const;
    const reports = await parts.jobs.run(job, async (token) => {
      const client = await parts.connection.client();
      return client.sendRequest(VerifyHubCache, { references: [reference] }, token);
    });
    parts.cache.remember(reports);
    for (const report of reports) sayVerdicts(parts, node, report);
  } catch (error) {
    sayFailed(parts.log, error, { about, retry: () => verifyCached(parts, node) });
  }
}

/** Fetches again what is corrupt in a repository or revision. */
export async function healCached(parts: CacheParts, node: CacheTarget): Promise<void> {
  const reference = referenceOf(node);
  const about = nameOf(node);
  try {
    const job = { model: reference, kind: 'heal', title: `Healing ${about}` } as const;
    const healings = await parts.jobs.run(job, async (token) => {
      const client = await parts.connection.client();
      return client.sendRequest(HealHubCache, { references: [reference] }, token);
    });
    for (const healing of healings) sayHealing(about, healing);
  } catch (error) {
    sayFailed(parts.log, error, { about, retry: () => healCached(parts, node) });
  } finally {
    parts.cache.forget(node.repository.reference);
  }
}

/** Deletes a repository or revision after a question that says what that frees. */
export async function dropCached(parts: CacheParts, node: CacheTarget): Promise<void> {
  const reference = referenceOf(node);
  const about = nameOf(node);
  try {
    const client = await parts.connection.client();
    const planned = await client.sendRequest(DropFromHubCache, { reference, dryRun: true });
    const { freedBytes, keptBytes } = planned;
    const kept = keptBytes === 0 ? '' : ` ${byteText(keptBytes)} stay, for others use them.`;
    const rest = `${kept}${arrivingText(planned)} Other programs download it again when they need it.`;
    const detail = `${byteText(freedBytes)} are freed.${rest}`;
    const remove: MessageItem = { title: 'Delete' };
    const question = `Delete ${about} from the Hugging Face cache?`;
    if ((await window.showWarningMessage(question, { modal: true, detail }, remove)) !== remove) return;
    await parts.jobs.run({ model: reference, kind: 'drop', title: `Deleting ${about}` }, async () => {
      await client.sendRequest(DropFromHubCache, { reference, dryRun: false });
    });
    sayDone(`${about} is deleted from the Hugging Face cache, ${byteText(freedBytes)} are freed.`);
  } catch (error) {
    sayFailed(parts.log, error, { about });
  } finally {
    parts.cache.forget(node.repository.reference);
  }
}

/** Deletes what no revision uses, everywhere in the cache, after a question that says what that frees. */
export async function pruneCache(parts: CacheParts): Promise<void> {
  try {
    const client = await parts.connection.client();
    const planned = await client.sendRequest(PruneHubCache, { references: [], dryRun: true });
    const arriving = arrivingText(planned);
    if (planned.freedBytes === 0) {
      sayDone(`Nothing in the Hugging Face cache is unused.${arriving}`);
      return;
    }
    const what = 'Unfinished downloads and contents that no revision uses are deleted.';
    const detail = `${byteText(planned.freedBytes)} are freed. ${what}${arriving}`;
    const remove: MessageItem = { title: 'Delete' };
    const question = 'Delete what nothing uses from the Hugging Face cache?';
    if ((await window.showWarningMessage(question, { modal: true, detail }, remove)) !== remove) return;
    const { freedBytes } = await client.sendRequest(PruneHubCache, { references: [], dryRun: false });
    sayDone(`${byteText(freedBytes)} of the Hugging Face cache are freed.`);
  } catch (error) {
    sayFailed(parts.log, error, { about: 'The Hugging Face cache' });
  } finally {
    parts.cache.invalidate();
  }
}

function arrivingText({ arrivingBytes }: HubCacheDeletion): string {
  if (arrivingBytes === 0) return '';
  return ` ${byteText(arrivingBytes)} stay, for another program may be downloading them.`;
}

/** Shows a row's place: in the system's file manager, or in a terminal where that is on another machine. */
export async function revealCached(node: CacheNode): Promise<void> {
  const folder = node.kind === 'repository' ? node.repository.folder : node.revision.folder;
  const place = node.kind === 'file' ? node.file.location : folder;
  if (env.remoteName === undefined) await commands.executeCommand('revealFileInOS', Uri.file(place));
  else window.createTerminal({ name: node.repository.name, cwd: folder }).show();
}

/** Opens the page of a repository, at the revision that was chosen. */
export async function openOnHub(node: CacheNode): Promise<void> {
  const { webAddress } = node.repository;
  const page = node.kind === 'repository' ? webAddress : `${webAddress}/tree/${node.revision.commit}`;
  await env.openExternal(Uri.parse(page, true));
}

function nameOf(node: CacheTarget): string {
  const { name } = node.repository;
  return node.kind === 'repository' ? name : `${name} at ${node.revision.refs[0] ?? node.revision.commit.slice(0, 7)}`;
}

function sayVerdicts(parts: CacheParts, node: CacheTarget, { files }: HubCacheReport): void {
  const about = nameOf(node);
  const corrupt = files.filter(({ verdict }) => verdict === 'corrupt');
  const [first] = corrupt;
  if (first) {
    const more = corrupt.length === 1 ? '' : ` ${corrupt.length - 1} more are corrupt too.`;
    const heal = { title: 'Heal', run: () => healCached(parts, node) };
    sayWarning(`${about} is damaged. ${first.path}: ${first.reason ?? 'the content is wrong.'}${more}`, heal);
    return;
  }
  const unproved = files.filter(({ verdict }) => verdict === 'unverifiable').length;
  const amount = fileCount(files.length);
  if (unproved === 0) sayDone(`${about} is sound: ${amount}, every digest is right.`);
  else sayDone(`${about} is usable: ${amount}, but ${unproved} of them cannot be proved.`);
}

function sayHealing(about: string, { healthy, files, notes }: HubCacheHealing): void {
  const rest = notes.length === 0 ? '' : ` ${notes.join(' ')}`;
  if (files.length === 0) sayDone(`${about}: nothing is corrupt.`);
  else if (healthy) sayDone(`${about} is healed: ${fileCount(files.length)} fetched again and proved.${rest}`);
  else {
    const left = files.filter(({ outcome }) => outcome !== 'healed');
    const [first] = left;
    sayWarning(`${about}: ${fileCount(left.length)} not healed. ${first?.path ?? ''}: ${first?.reason ?? ''}${rest}`);
  }
}

function fileCount(files: number): string {
  return `${files} ${files === 1 ? 'file' : 'files'}`;
}

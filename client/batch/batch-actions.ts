import { basename } from 'node:path';
import { commands, type MessageItem, type QuickPickItem, Uri, window, workspace } from 'vscode';
import type { BatchParams, BatchResult } from '../../shared/batch';
import type { FailureData } from '../../shared/failure';
import { ForgetBatch, RunBatch } from '../../shared/protocol';
import type { ActionParts } from '../models/action-parts';
import { JOBS_VIEW } from '../support/commands';
import { troubleOf } from '../support/failures';
import { sayDone, sayFailed, sayWarning } from '../support/messages';
import { engineTimeLimit, listedStores } from '../support/settings';
import type { BatchList } from './batch-list';
import type { BatchNode } from './job-node';

/** What the actions on batches work with. */
export interface BatchParts extends ActionParts {
  readonly batches: BatchList;
}

/** Runs the batch that a file describes. @param uri absent: the user chooses the file */
export async function runBatch(parts: BatchParts, uri: Uri | undefined): Promise<void> {
  const file = uri ?? (await askFile());
  if (!file) return;
  await workspace.textDocuments.find((document) => document.uri.toString() === file.toString())?.save();
  const place = await askPlace();
  if (place) await runNow(parts, { file: file.fsPath, ...place, resume: false });
}

/** Goes on with a batch where it stopped. */
export async function resumeBatch(parts: BatchParts, { batch }: BatchNode): Promise<void> {
  await runNow(parts, { file: batch.file, store: batch.store, resume: true });
}

/** Stops a batch that runs in this window; what is done of it stays. */
export function stopBatch({ jobs }: BatchParts, { batch }: BatchNode): void {
  jobs.cancel(batch.file);
}

/** Opens the file that a batch was begun with. */
export async function openBatchFile({ batch }: BatchNode): Promise<void> {
  await commands.executeCommand('vscode.open', Uri.file(batch.file));
}

/** Takes a batch that is done off the list. */
export async function clearBatch(parts: BatchParts, { batch: { job, store } }: BatchNode): Promise<void> {
  try {
    const client = await parts.connection.client();
    await client.sendRequest(ForgetBatch, { job, store });
  } catch (error) {
    sayFailed(parts.log, error, { about: job });
  }
}

async function runNow(parts: BatchParts, params: BatchParams): Promise<void> {
  const name = basename(params.file);
  try {
    void commands.executeCommand(`${JOBS_VIEW}.focus`, { preserveFocus: true });
    const job = { model: params.file, name, kind: 'batch', title: `Running ${name}` } as const;
    const result = await parts.jobs.run(job, async (token) => {
      const client = await parts.connection.client();
      return client.sendRequest(RunBatch, { ...params, timeLimitMinutes: engineTimeLimit() }, token);
    });
    sayResult(result);
  } catch (error) {
    const trouble = troubleOf(error);
    const other = trouble.kind === 'failure' ? await askOtherWay(name, params, trouble.failure) : undefined;
    if (other === 'leave') return;
    if (other) await runNow(parts, other);
    else sayFailed(parts.log, error, { about: name, retry: () => runNow(parts, params) });
  } finally {
    parts.batches.invalidate();
  }
}

/** Where there is another way than to give up, the user decides. @returns undefined when there is none */
async function askOtherWay(
  name: string,
  params: BatchParams,
  { code, message }: FailureData
): Promise<BatchParams | 'leave' | undefined> {
  const resume: MessageItem = { title: 'Resume' };
  const restart: MessageItem = { title: 'Start Over' };
  const ways = code === 'checkpoint-exists' ? [resume, restart] : code === 'checkpoint-differs' ? [restart] : [];
  if (ways.length === 0) return undefined;
  const detail = `${message} Starting over makes every image again; those in the gallery stay there.`;
  const chosen = await window.showWarningMessage(`${name} was begun before.`, { modal: true, detail }, ...ways);
  if (chosen === resume) return { ...params, resume: true };
  return chosen === restart ? { ...params, resume: false, restart: true } : 'leave';
}

function sayResult({ job, items, made, reused, failed, warnings }: BatchResult): void {
  const show = { title: 'Show Jobs', run: () => commands.executeCommand(`${JOBS_VIEW}.focus`) };
  const before = reused === 0 ? '' : `, ${reused} of them from before`;
  const sentence = `${job} is done: ${made + reused} of ${items} ${items === 1 ? 'image' : 'images'}${before}.`;
  const [first] = failed;
  const passedOver = first && `${failed.length} passed over; item ${first.item}: ${first.failure.message}`;
  if (passedOver || warnings.length > 0) sayWarning([sentence, passedOver ?? '', ...warnings].join(' '), show);
  else sayDone(sentence, show);
}

async function askFile(): Promise<Uri | undefined> {
  const open = window.activeTextEditor?.document.uri;
  const isBatch = open?.scheme === 'file' && /\.(json|csv)$/i.test(open.path);
  const folder = workspace.workspaceFolders?.[0]?.uri;
  const start = isBatch ? open : folder;
  const chosen = await window.showOpenDialog({
    title: 'Run Batch',
    openLabel: 'Run',
    filters: { 'Batch Files': ['json', 'csv'] },
    ...(start && { defaultUri: start })
  });
  return chosen?.[0];
}

interface Place extends QuickPickItem {
  readonly store?: string;
}

/** Where the checkpoint is kept, which another machine needs to go on. Without a store there is nothing to ask. */
async function askPlace(): Promise<Pick<BatchParams, 'store'> | undefined> {
  const stores = listedStores();
  if (stores.length === 0) return {};
  const here: Place = { label: '$(device-desktop) This Machine', detail: 'Only this machine can go on with it' };
  const others = stores.map(
    ({ name, url }): Place => ({ label: `$(cloud) ${name}`, description: url, store: name, detail: 'Others can go on' })
  );
  const title = 'Where is kept how far the batch is?';
  const chosen = await window.showQuickPick([here, ...others], { title, ignoreFocusOut: true });
  return chosen && (chosen.store === undefined ? {} : { store: chosen.store });
}

import { commands, env, type MessageItem, Uri, window } from 'vscode';
import { agoText, byteText } from '../../shared/byte-text';
import type { ModelSummary, VerifyReport } from '../../shared/model';
import { DiscardPartial, DropModel, HealModel, type HealResult, VerifyModel } from '../../shared/protocol';
import { afterRemoval } from '../../shared/removal-text';
import { type NextStep, type Remedies, retrying, sayDone, sayFailed, sayWarning } from '../support/messages';
import type { ActionParts } from './action-parts';
import { convertAgain } from './convert-model';
import { pull } from './pull-actions';

/**
 * Says whether every byte of an installed model is what it should be.
 * @param force whether to read even what did not change since it was read
 */
export async function verify(parts: ActionParts, model: ModelSummary, force = false): Promise<void> {
  const { name } = model;
  try {
    const report = await parts.jobs.run({ model: name, kind: 'verify', title: `Verifying ${name}` }, async (token) => {
      const client = await parts.connection.client();
      return client.sendRequest(VerifyModel, { name, depth: 'deep', force }, token);
    });
    sayVerdict(report, model, {
      healNow: { title: 'Heal', run: () => heal(parts, model) },
      readAgain: { title: 'Read Again', run: () => verify(parts, model, true) }
    });
  } catch (error) {
    sayFailed(parts.log, error, { ...waysBack(parts, model), retry: () => verify(parts, model) });
  }
}

/** Fetches again what is damaged or missing of an installed model. */
export async function heal(parts: ActionParts, model: ModelSummary, credentialAlias?: string): Promise<void> {
  const { name } = model;
  try {
    const result = await parts.jobs.run({ model: name, kind: 'heal', title: `Healing ${name}` }, async (token) => {
      const client = await parts.connection.client();
      return client.sendRequest(HealModel, { name, credentialAlias }, token);
    });
    sayHealed(result);
  } catch (error) {
    const tryAgain = retrying((alias = credentialAlias) => heal(parts, model, alias));
    sayFailed(parts.log, error, { ...waysBack(parts, model), ...tryAgain });
  }
}

/** How the files of a model are had again. */
function waysBack(parts: ActionParts, model: ModelSummary): Remedies {
  return { about: model.name, pull: () => pull(parts, model), convertAgain: () => convertAgain(parts, model) };
}

function sayHealed({ model, healed, others, report }: HealResult): void {
  const [problem] = [
    ...report.files.flatMap(({ verdict, reason }) => (verdict === 'corrupt' ? (reason ?? '') : [])),
    ...report.problems
  ];
  if (problem !== undefined) {
    sayWarning(`${model} is still damaged. ${problem}`);
    return;
  }
  const what = healed.length === 0 ? 'nothing was damaged' : `${healed.join(', ')} healed`;
  const shared =
    others.length === 0
      ? ''
      : ` So ${others.length === 1 ? 'is' : 'are'} ${others.join(', ')}, which shared the bytes.`;
  sayDone(`${model} is sound: ${what}.${shared}`);
}

/** Removes the installed files of a model after a question. */
export async function drop(parts: ActionParts, { name, bytes, folder, madeHere }: ModelSummary): Promise<void> {
  const remove: MessageItem = { title: 'Remove' };
  const detail = [
    `${folder ?? 'The folder'} ${bytes === undefined ? 'is deleted' : `(${byteText(bytes)}) is deleted`}.`,
    `The model stays in the list; ${afterRemoval(madeHere)}.`
  ].join(' ');
  const chosen = await window.showWarningMessage(
    `Remove the files of ${name} from this machine?`,
    { modal: true, detail },
    remove
  );
  if (chosen !== remove) return;
  try {
    await parts.jobs.run({ model: name, kind: 'drop', title: `Removing ${name}` }, async () => {
      const client = await parts.connection.client();
      await client.sendRequest(DropModel, { name });
    });
  } catch (error) {
    sayFailed(parts.log, error);
  }
}

/** Removes what was received of a model after a question. */
export async function discardPartial(parts: ActionParts, { name, unfinished }: ModelSummary): Promise<void> {
  if (unfinished?.kind !== 'partial') return;
  const discard: MessageItem = { title: 'Discard' };
  const detail = `${byteText(unfinished.receivedBytes)} are deleted, and the next pull transfers them again.`;
  const question = `Discard what was received of ${name}?`;
  if ((await window.showWarningMessage(question, { modal: true, detail }, discard)) !== discard) return;
  try {
    await parts.jobs.run({ model: name, kind: 'drop', title: `Discarding what was received of ${name}` }, async () => {
      const client = await parts.connection.client();
      await client.sendRequest(DiscardPartial, { name });
    });
  } catch (error) {
    sayFailed(parts.log, error);
  }
}

/** Shows the folder of a model: in the system's file manager, or in a terminal where that is on another machine. */
export async function revealFolder({ name, folder }: ModelSummary): Promise<void> {
  if (folder === undefined) return;
  if (env.remoteName === undefined) await commands.executeCommand('revealFileInOS', Uri.file(folder));
  else window.createTerminal({ name, cwd: folder }).show();
}

/** Opens the manifest that a model comes from. */
export async function openManifest({ manifestUri }: ModelSummary): Promise<void> {
  if (manifestUri !== undefined) await commands.executeCommand('vscode.open', Uri.parse(manifestUri));
}

interface VerdictSteps {
  readonly healNow: NextStep;
  readonly readAgain: NextStep;
}

function sayVerdict(report: VerifyReport, { bytes }: ModelSummary, { healNow, readAgain }: VerdictSteps): void {
  const { model, healthy, files, problems } = report;
  if (!healthy) {
    const wrong = files.flatMap(({ path, verdict, reason }) =>
      verdict === 'corrupt' ? [`${path}: ${reason ?? 'the content is wrong.'}`] : []
    );
    sayWarning(`${model} is damaged. ${[...wrong, ...problems].join(' ')}`, healNow);
    return;
  }
  const unproved = files.filter(({ verdict }) => verdict === 'unverifiable').length;
  const amount = `${files.length} ${files.length === 1 ? 'file' : 'files'}, ${byteText(bytes ?? report.bytes)}`;
  const before = rememberedText(report);
  const steps = before === '' ? [] : [readAgain];
  if (unproved === 0) sayDone(`${model} is sound: ${amount}, every digest is right${before}.`, ...steps);
  else {
    const want = `${unproved} of them cannot be proved for want of a digest`;
    sayDone(`${model} is usable: ${amount}, but ${want}${before}.`, ...steps);
  }
}

/** Since when the bytes are known, when they were not read now. */
function rememberedText({ files }: VerifyReport): string {
  const times = files.flatMap(({ provedAt }) => provedAt ?? []);
  if (times.length === 0) return '';
  return `; unchanged since they were read ${agoText(Math.min(...times), Date.now())}`;
}

import { commands, type MessageItem, Uri, window } from 'vscode';
import { byteText } from '../../shared/byte-text';
import type { ModelSummary } from '../../shared/model';
import { PausePull, PullModel, ResumePull } from '../../shared/protocol';
import { COMMANDS } from '../support/commands';
import { type NextStep, type Remedies, retrying, sayDone, sayFailed } from '../support/messages';
import type { ActionParts } from './action-parts';
import { confirmPull } from './plan-actions';

/**
 * Pulls a model after a question where much is to be transferred, or where a sound bundle is replaced that the
 * manifest no longer describes.
 * @param credentialAlias of the credential to use instead of the one that the manifest names
 */
export async function pull(parts: ActionParts, model: ModelSummary, credentialAlias?: string): Promise<void> {
  if (model.status === 'outdated' && !(await confirmReplacement(model))) return;
  try {
    if (!(await confirmPull(parts, model, credentialAlias))) return;
  } catch (error) {
    sayFailed(parts.log, error, {
      ...aboutModel(model),
      ...retrying((alias = credentialAlias) => pull(parts, model, alias))
    });
    return;
  }
  await pullNow(parts, model, credentialAlias);
}

/** Pulls a model without any question. */
async function pullNow(parts: ActionParts, model: ModelSummary, credentialAlias: string | undefined): Promise<void> {
  const { name } = model;
  try {
    const result = await parts.jobs.run({ model: name, kind: 'pull', title: `Pulling ${name}` }, async (token) => {
      const client = await parts.connection.client();
      return client.sendRequest(PullModel, { name, credentialAlias }, token);
    });
    sayDone(`${name} is installed (${byteText(result.bytes)}).`, generateStep(name));
  } catch (error) {
    sayFailed(parts.log, error, {
      ...aboutModel(model),
      ...retrying((alias = credentialAlias) => pullNow(parts, model, alias))
    });
  }
}

/** Lets a pull stand still: it closes its connections and keeps what it received. @param model absent: one is chosen */
export async function pausePull(parts: ActionParts, model: string | undefined): Promise<void> {
  const name = model ?? (await pickPull(parts, { paused: false, title: 'Pause which pull?' }));
  if (name !== undefined) await control(parts, PausePull, name);
}

/** Lets a paused pull go on where it was. @param model absent: one is chosen */
export async function resumePull(parts: ActionParts, model: string | undefined): Promise<void> {
  const name = model ?? (await pickPull(parts, { paused: true, title: 'Resume which pull?' }));
  if (name !== undefined) await control(parts, ResumePull, name);
}

async function control(parts: ActionParts, request: typeof PausePull, name: string): Promise<void> {
  try {
    const client = await parts.connection.client();
    await client.sendRequest(request, { name });
  } catch (error) {
    sayFailed(parts.log, error);
  }
}

/** Of several pulls the user chooses one; of none there is nothing to do. */
async function pickPull(
  { jobs }: ActionParts,
  { paused, title }: { readonly paused: boolean; readonly title: string }
): Promise<string | undefined> {
  const pulls = jobs.pulls({ paused });
  if (pulls.length <= 1) return pulls[0]?.model;
  const items = pulls.map(({ model, progress }) => ({ label: model, description: progress?.brief ?? '' }));
  return (await window.showQuickPick(items, { title }))?.label;
}

/** What failures are about, and the way to the manifest, for those that only its author can mend. */
function aboutModel({ name, manifestUri }: ModelSummary): Remedies {
  if (manifestUri === undefined) return { about: name };
  return { about: name, openManifest: () => commands.executeCommand('vscode.open', Uri.parse(manifestUri)) };
}

function generateStep(name: string): NextStep {
  return { title: 'Generate Image', run: () => commands.executeCommand(COMMANDS.generate, name) };
}

async function confirmReplacement({ name, reason }: ModelSummary): Promise<boolean> {
  const replace: MessageItem = { title: 'Replace' };
  const detail = [
    ...(reason === undefined ? [] : [reason]),
    'The present files stay until the new ones are complete.'
  ].join(' ');
  const question = `Replace the installed files of ${name}?`;
  return (await window.showWarningMessage(question, { modal: true, detail }, replace)) === replace;
}

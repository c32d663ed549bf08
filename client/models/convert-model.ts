import { type QuickPickItem, window } from 'vscode';
import { byteText } from '../../shared/byte-text';
import type { ModelSummary } from '../../shared/model';
import { modelNameProblem } from '../../shared/model-name';
import { ConvertModel } from '../../shared/protocol';
import { WEIGHT_TYPES, type WeightType } from '../../shared/weight-types';
import { sayDone, sayFailed, sayWarning } from '../support/messages';
import { engineTimeLimit } from '../support/settings';
import type { ActionParts } from './action-parts';

/** What a new model is to be like. */
interface Wish {
  readonly type: string;
  readonly as: string;
  /** Roles of the files to convert; absent: those that hold most of a model. */
  readonly roles?: readonly string[];
}

/** Makes a new model of an installed one, with its weights stored in another type. */
export async function convert(parts: ActionParts, { name }: ModelSummary): Promise<void> {
  const type = await window.showQuickPick(WEIGHT_TYPES.map(pickItem), {
    title: `Convert ${name}`,
    placeHolder: 'What are its weights to be stored as?'
  });
  if (!type) return;
  const as = await window.showInputBox({
    title: `Convert ${name} to ${type.label}`,
    prompt: `The name of the new model. ${name} stays as it is.`,
    value: `${name}-${type.label}`,
    ignoreFocusOut: true,
    validateInput: (text) => {
      const problem = modelNameProblem(text.trim());
      return problem && `The name ${problem}.`;
    }
  });
  if (as !== undefined) await convertNow(parts, name, { type: type.label, as: as.trim() });
}

/** Makes a model again that was made here of another one, as it was made then. */
export async function convertAgain(parts: ActionParts, { name, files, madeHere }: ModelSummary): Promise<void> {
  if (!madeHere) return;
  const roles = files.flatMap(({ path, role }) => (role && madeHere.files.includes(path) ? [role] : []));
  await convertNow(parts, madeHere.from, { type: madeHere.type, as: name, roles: [...new Set(roles)] });
}

async function convertNow(parts: ActionParts, name: string, wish: Wish): Promise<void> {
  try {
    const job = { model: name, kind: 'convert', title: `Converting ${name} to ${wish.type}` } as const;
    const { model, bytes, originalBytes, warnings } = await parts.jobs.run(job, async (token) => {
      const client = await parts.connection.client();
      return client.sendRequest(ConvertModel, { name, ...wish, timeLimitMinutes: engineTimeLimit() }, token);
    });
    sayDone(`${model} is installed (${byteText(bytes)} instead of ${byteText(originalBytes)}).`);
    if (warnings.length > 0) sayWarning(warnings.join(' '));
  } catch (error) {
    sayFailed(parts.log, error, { about: name, retry: () => convertNow(parts, name, wish) });
  }
}

function pickItem({ name, bits }: WeightType): QuickPickItem {
  return { label: name, description: `${Math.round(bits * 100) / 100} bits a weight` };
}

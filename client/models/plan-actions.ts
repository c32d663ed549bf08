import { EventEmitter, type MessageItem, Uri, window, workspace } from 'vscode';
import type { ModelSummary } from '../../shared/model';
import type { PlannedPull } from '../../shared/planned-pull';
import { PlanPull } from '../../shared/protocol';
import { retrying, sayFailed } from '../support/messages';
import { confirmAboveBytes } from '../support/settings';
import type { ActionParts } from './action-parts';
import { planDocument, planFacts, planQuestion } from './plan-text';

const PLAN_SCHEME = 'diffusion-dock-plan';

/** Plans as documents that can be read, searched and copied, but not written. */
export class PlanDocuments {
  private readonly texts = new Map<string, string>();
  private readonly changed = new EventEmitter<Uri>();
  private readonly registration = workspace.registerTextDocumentContentProvider(PLAN_SCHEME, {
    onDidChange: this.changed.event,
    provideTextDocumentContent: (uri) => this.texts.get(uri.path)
  });

  async show(plan: PlannedPull): Promise<void> {
    const uri = Uri.from({ scheme: PLAN_SCHEME, path: `/${plan.model} pull plan.txt` });
    this.texts.set(uri.path, planDocument(plan));
    this.changed.fire(uri);
    await window.showTextDocument(uri, { preview: true });
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }
}

/** Shows what a pull of a model would do, without pulling. */
export async function showPlan(
  parts: ActionParts,
  plans: PlanDocuments,
  model: ModelSummary,
  credentialAlias?: string
): Promise<void> {
  try {
    await plans.show(await makePlan(parts, model.name, credentialAlias));
  } catch (error) {
    const tryAgain = retrying((alias = credentialAlias) => showPlan(parts, plans, model, alias));
    sayFailed(parts.log, error, { about: model.name, ...tryAgain });
  }
}

/**
 * Asks before a pull that transfers more than the setting allows unasked, or whose sizes nobody tells.
 * @param credentialAlias of the credential to use instead of the one that the manifest names
 * @returns whether to go on
 * @throws ServerGone, ResponseError when the plan cannot be made
 */
export async function confirmPull(
  parts: ActionParts,
  { name, status, bytes }: ModelSummary,
  credentialAlias: string | undefined
): Promise<boolean> {
  const limit = confirmAboveBytes();
  if (limit === undefined) return true;
  // What its manifest says is enough to know that it stays below.
  if (status === 'registered' && bytes !== undefined && bytes <= limit) return true;
  const plan = await makePlan(parts, name, credentialAlias);
  const isKnown = plan.files.every((file) => file.bytes !== null);
  // One that does not fit is refused by the pull itself, with the sentence for it.
  if (!plan.fits || (isKnown && plan.missingBytes <= limit)) return true;
  const yes: MessageItem = { title: 'Pull' };
  const detail = planFacts(plan).join('\n');
  return (await window.showInformationMessage(planQuestion(plan), { modal: true, detail }, yes)) === yes;
}

function makePlan({ connection, jobs }: ActionParts, name: string, credentialAlias?: string): Promise<PlannedPull> {
  return jobs.run({ model: name, kind: 'plan', title: `Looking up the sizes of ${name}` }, async (token) => {
    const client = await connection.client();
    return client.sendRequest(PlanPull, { name, credentialAlias }, token);
  });
}

import { commands, env, type MessageItem, window } from 'vscode';
import { byteText } from '../../shared/byte-text';
import type { FailureData } from '../../shared/failure';
import { FetchPublication, Unpublish } from '../../shared/protocol';
import type { FetchResult } from '../../shared/publication';
import type { ActionParts } from '../models/action-parts';
import { COMMANDS, MODELS_VIEW } from '../support/commands';
import { troubleOf } from '../support/failures';
import { sayDone, sayFailed, sayWarning } from '../support/messages';
import type { StoreListings } from './store-listings';
import {
  type PublicationNode,
  publicationAddress,
  publicationJob,
  type StoreNode,
  type StoreTroubleNode
} from './store-node';

/** What the actions on team stores work with. */
export interface StoreParts extends ActionParts {
  readonly listings: StoreListings;
}

/** Installs a published model, after a question where a model of its name that comes from elsewhere is replaced. */
export async function pullPublication(parts: StoreParts, node: PublicationNode, replace = false): Promise<void> {
  const { store, publication } = node;
  const { name } = publication;
  try {
    const title = `Pulling ${name} from ${store.name}`;
    const result = await parts.jobs.run({ model: name, kind: 'pull', title }, async (token) => {
      const client = await parts.connection.client();
      return client.sendRequest(FetchPublication, { name, store: store.name, replace }, token);
    });
    sayFetched(result);
  } catch (error) {
    const trouble = troubleOf(error);
    if (trouble.kind === 'failure' && trouble.failure.code === 'model-exists' && !replace) {
      if (await confirmReplacement(name, trouble.failure)) await pullPublication(parts, node, true);
      return;
    }
    const again = (): Promise<void> => pullPublication(parts, node, replace);
    sayFailed(parts.log, error, { about: name, retry: again, retryWith: again });
  } finally {
    parts.listings.invalidate(store.name);
  }
}

function sayFetched({ model, bytes, likelyRoles }: FetchResult): void {
  const generate = { title: 'Generate Image', run: () => commands.executeCommand(COMMANDS.generate, model) };
  const sentence = `${model} is installed (${byteText(bytes)}).`;
  if (likelyRoles.length === 0) sayDone(sentence, generate);
  else {
    const roles = likelyRoles.map(({ path, role }) => `${path} as ${role}`).join(', ');
    sayWarning(
      `${sentence} Its publisher wrote down no roles; by their headers its files count as: ${roles}.`,
      generate
    );
  }
}

async function confirmReplacement(name: string, { message }: FailureData): Promise<boolean> {
  const replace: MessageItem = { title: 'Replace' };
  const detail = `${message} The present files stay until the new ones are complete.`;
  const question = `Replace the installed files of ${name}?`;
  return (await window.showWarningMessage(question, { modal: true, detail }, replace)) === replace;
}

/** Removes a publication from its store, after a question. */
export async function unpublish(parts: StoreParts, node: PublicationNode): Promise<void> {
  const { store, publication } = node;
  const { name, bytes } = publication;
  const remove: MessageItem = { title: 'Unpublish' };
  const detail = [
    `${byteText(bytes)} are deleted in ${store.url}, for everybody who uses this store.`,
    'What is installed, here or elsewhere, stays.'
  ].join(' ');
  const question = `Unpublish ${name} from ${store.name}?`;
  if ((await window.showWarningMessage(question, { modal: true, detail }, remove)) !== remove) return;
  await unpublishNow(parts, node);
}

async function unpublishNow(parts: StoreParts, node: PublicationNode): Promise<void> {
  const { store, publication } = node;
  const { name } = publication;
  try {
    const title = `Removing ${name} from ${store.name}`;
    await parts.jobs.run({ model: publicationJob(node), kind: 'drop', title }, async (token) => {
      const client = await parts.connection.client();
      await client.sendRequest(Unpublish, { name, store: store.name }, token);
    });
    sayDone(`${name} is no longer published in ${store.name}.`);
  } catch (error) {
    const again = (): Promise<void> => unpublishNow(parts, node);
    sayFailed(parts.log, error, { about: name, retry: again, retryWith: again });
  } finally {
    parts.listings.invalidate(store.name);
  }
}

/** Ends the pull of a publication. */
export function cancelPublication({ jobs }: StoreParts, node: PublicationNode): void {
  jobs.cancel(node.publication.name);
}

/** Asks a store anew what it holds. */
export async function refreshStore({ listings }: StoreParts, { store }: StoreNode | StoreTroubleNode): Promise<void> {
  listings.invalidate(store.name);
  // The answer is kept, so that whoever asks next has it; what goes wrong shows in the row.
  const reading = listings.read(store.name).catch(() => undefined);
  await window.withProgress({ location: { viewId: MODELS_VIEW } }, () => reading);
}

/** Says in full why a store cannot be read, with what helps. */
export function explainTrouble(parts: StoreParts, node: StoreTroubleNode): void {
  const again = (): Promise<void> => refreshStore(parts, node);
  sayFailed(parts.log, node.thrown, { about: node.store.name, retry: again, retryWith: again });
}

/** Copies where a store or a publication is. */
export async function copyAddress(node: StoreNode | PublicationNode): Promise<void> {
  const address = node.kind === 'store' ? node.store.url : publicationAddress(node);
  await env.clipboard.writeText(address);
  sayDone(`${address} was copied.`);
}

import { type MessageItem, window } from 'vscode';
import { byteText } from '../../shared/byte-text';
import { type FreedSpace, FreeSpace } from '../../shared/protocol';
import { sayDone, sayFailed } from '../support/messages';
import type { ActionParts } from './action-parts';

/** Shows what no installed model uses, and removes it after a question. */
export async function freeSpace({ connection, log }: ActionParts): Promise<void> {
  try {
    const client = await connection.client();
    const planned = await client.sendRequest(FreeSpace, { dryRun: true });
    if (planned.isPutOff) {
      sayDone('A pull is under way whose files have no digests. Free the space when it is done.');
      return;
    }
    if (planned.contents === 0) {
      sayDone('There is nothing to free: installed models use everything that is stored.');
      return;
    }
    if (!(await confirm(planned))) return;
    const freed = await client.sendRequest(FreeSpace, { dryRun: false });
    sayDone(`${byteText(freed.bytes)} are free again.`);
  } catch (error) {
    sayFailed(log, error);
  }
}

async function confirm({ contents, bytes }: FreedSpace): Promise<boolean> {
  const remove: MessageItem = { title: 'Remove' };
  const question = `Remove ${contents} stored ${contents === 1 ? 'file' : 'files'} (${byteText(bytes)}) that no installed model uses?`;
  const detail = 'They are fetched again if a model needs them later.';
  return (await window.showWarningMessage(question, { modal: true, detail }, remove)) === remove;
}

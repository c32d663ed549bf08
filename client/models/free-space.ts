import { type MessageItem, window } from 'vscode';
import { byteText } from '../../shared/byte-text';
import type { FreedSpace } from '../../shared/freed-space';
import { FreeSpace } from '../../shared/protocol';
import { sayDone, sayFailed } from '../support/messages';
import type { ActionParts } from './action-parts';

/** Shows what nothing uses, and removes it after a question. */
export async function freeSpace({ connection, log }: ActionParts): Promise<void> {
  try {
    const client = await connection.client();
    const planned = await client.sendRequest(FreeSpace, { dryRun: true });
    const parts = partsOf(planned);
    if (parts.length === 0) {
      const putOff = 'A pull is under way whose files have no digests. Free the space when it is done.';
      const nothing = 'There is nothing to free: installed models use everything that is stored.';
      sayDone(`${planned.isPutOff ? putOff : nothing}${resumableText(planned)}`);
      return;
    }
    if (!(await confirm(planned, parts))) return;
    const freed = await client.sendRequest(FreeSpace, { dryRun: false });
    sayDone(`${byteText(freed.bytes)} are free again.`);
  } catch (error) {
    sayFailed(log, error);
  }
}

/** What would go, an entry for each kind. */
function partsOf({ contents, partials, leftovers }: FreedSpace): string[] {
  return [
    ...(contents > 0 ? [`${count(contents, 'stored file')} that no installed model uses`] : []),
    ...(partials > 0 ? [`${count(partials, 'unfinished download')} that nobody went on with`] : []),
    ...(leftovers > 0 ? [`${count(leftovers, 'leftover')} of crashes`] : [])
  ];
}

async function confirm(planned: FreedSpace, parts: readonly string[]): Promise<boolean> {
  const remove: MessageItem = { title: 'Remove' };
  const question = `Remove ${parts.join(', ')} (${byteText(planned.bytes)})?`;
  const detail = `Files are fetched again if a model needs them later.${resumableText(planned)}`;
  return (await window.showWarningMessage(question, { modal: true, detail }, remove)) === remove;
}

function resumableText({ resumableBytes }: FreedSpace): string {
  if (resumableBytes === 0) return '';
  return ` ${byteText(resumableBytes)} of unfinished downloads stay; the next pull goes on with them.`;
}

function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? '' : 's'}`;
}

import { appendFile, mkdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { tryClaim } from '../../../server/platform/claims';
import { bootId } from '../../../server/platform/process-identity';
import { formatJournalLine } from '../../../server/pull/partial/journal';
import { PartialWatch } from '../../../server/pull/partial/partial-watch';
import { takeTurn } from '../../../server/pull/transfer/shared-transfer';
import { temporaryFolder } from '../../support/temporary-folder';

/** Waits for a turn that another has, on a clock that passes a second at each look. */
async function waitFor(partials: string, onLook: (look: number) => Promise<void>): Promise<{ looks: number }> {
  let looks = 0;
  const turn = await takeTurn({
    partials,
    key: 'k',
    silenceMs: 20_000,
    signal: new AbortController().signal,
    onBytes: () => undefined,
    clock: {
      now: () => Date.now(),
      elapsed: () => looks * 1000,
      async sleep() {
        looks += 1;
        await onLook(looks);
      }
    }
  });
  expect(turn).toBeUndefined();
  return { looks };
}

it('leaves its turn to an owner that shows life for as long as it does, however slow it is', async () => {
  const partials = await temporaryFolder();
  const claim = await tryClaim(join(partials, 'k.claim'));
  onTestFinished(() => claim?.release());
  const silent = await waitFor(partials, async () => undefined);
  expect(silent.looks).toBe(20);
  const alive = await waitFor(partials, async (look) => {
    if (look <= 100) await utimes(join(partials, 'k.claim'), look, look);
  });
  expect(alive.looks).toBe(120);
});

it('counts what a journal says as it grows, also where a line or a character is not whole yet', async () => {
  const folder = join(await temporaryFolder(), 'k.owner');
  await mkdir(folder);
  const journal = join(folder, 'journal');
  const watch = new PartialWatch(folder);
  expect(await watch.bytes()).toBe(0);
  const begun = formatJournalLine({ type: 'begun', source: '/w/ä😀.gguf', validator: null, total: 100 });
  const head = Buffer.from(formatJournalLine({ type: 'boot', id: await bootId() }) + begun);
  const middle = head.indexOf(Buffer.from('😀')) + 2;
  await appendFile(journal, head.subarray(0, middle));
  expect(await watch.bytes()).toBe(0);
  const line = formatJournalLine({ type: 'written', start: 0, end: 40 });
  await appendFile(journal, Buffer.concat([head.subarray(middle), Buffer.from(line.slice(0, 20))]));
  expect(await watch.bytes()).toBe(0);
  await appendFile(journal, line.slice(20));
  expect(await watch.bytes()).toBe(40);
});

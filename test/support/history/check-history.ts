import { type HistoryLine, MODEL_NAMES, type Sight } from './history';

/** What a change or a look showed, and when at the earliest and at the latest. */
interface Event {
  readonly saw: Sight;
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * Whether what several processes did and saw can have happened one after the other in some order that keeps to the
 * clock. A bundle that is replaced is gone for a moment, so nothing may be seen while somebody changes it.
 * @returns what cannot have happened, one sentence each
 */
export function problemsIn(history: readonly HistoryLine[]): string[] {
  const failed = history.flatMap(({ kind, model, error }) =>
    error === undefined ? [] : [`${kind} ${model}: ${error}`]
  );
  return [...failed, ...MODEL_NAMES.flatMap((model) => impossibleReads(history, model))];
}

function impossibleReads(history: readonly HistoryLine[], model: string): string[] {
  const beginning: Event = { saw: 'none', from: -1n, to: -1n };
  const changes = [beginning];
  const reads: Event[] = [];
  for (const { kind, model: own, version, saw = 'none', from, to } of history) {
    if (own !== model) continue;
    const time = { from: BigInt(from), to: BigInt(to) };
    if (kind === 'install' && version !== undefined) changes.push({ saw: version, ...time });
    if (kind === 'drop') changes.push({ saw: 'none', ...time });
    if (kind === 'read') reads.push({ saw, ...time });
  }
  return reads.filter((read) => !isPossible(read, changes)).map(({ saw, from }) => `${model} at ${from}: ${saw}`);
}

function isPossible(read: Event, changes: readonly Event[]): boolean {
  if (typeof read.saw === 'string' && read.saw.startsWith('partial')) return false;
  const isBeingChanged = changes.some(({ from, to }) => from < read.to && to > read.from);
  if (read.saw === 'going' || (read.saw === 'none' && isBeingChanged)) return isBeingChanged;
  return changes.some((change) => {
    if (change.saw !== read.saw || change.from > read.to) return false;
    // What was overwritten by a change that began later and was over before the look is not to be seen again.
    return !changes.some((later) => later.from > change.to && later.to < read.from);
  });
}

import type { Random } from '../random';
import { copyOf, type Disk, describeDisk, type Inode } from './disk';
import type { DiskRecording } from './disk-recorder';
import { apply, type DiskStep } from './disk-steps';

/** What may lie on the disk after a power cut. */
export interface CrashState {
  /** So many steps had been done. */
  readonly moment: number;
  readonly disk: Disk;
}

export interface CrashStateOptions {
  /** How many states are wanted; where there are more, so many are picked at random. */
  readonly most: number;
  readonly random: Random;
}

/** So many of the outcomes at each moment are made up at random. */
const RANDOM_OUTCOMES = 8;

/** What became of the bytes of a file that were written since it was synced last. */
const FATES = ['written', 'unwritten', 'torn', 'zeros'] as const;
type Fate = (typeof FATES)[number];

/** What a power cut leaves of what was not certain to last. */
interface Outcome {
  /** By its number, whether a step happened. */
  readonly happened: ReadonlyMap<number, boolean>;
  readonly fates: ReadonlyMap<Inode, Fate>;
}

/**
 * The states that a power cut may leave at any moment of what was recorded, each state once. What was synced is there.
 * Of the rest, any part may be there and any other not, whatever came first, on these terms:
 * - A rename happens as a whole or not at all, and lasts once the folder that it leads to is synced.
 * - What moved one file or folder elsewhere happened in the order in which it was done.
 * - Bytes of a file that were not synced may be there, be missing, end in the middle, or be zeros in the right number.
 */
export function crashStates(recording: DiskRecording, { most, random }: CrashStateOptions): readonly CrashState[] {
  const states = new Map<string, CrashState>();
  for (let moment = 0; moment <= recording.steps.length; moment += 1) {
    const steps = recording.steps.slice(0, moment);
    const lasting = steps.map((step, index) => lasts(steps, step, index));
    for (const outcome of outcomes(steps, lasting, random)) {
      const disk = diskAfter(recording.start, steps, lasting, outcome);
      // Found at the last of its moments, for nothing is promised before the end.
      states.set(describeDisk(disk).join('\n'), { moment, disk });
    }
  }
  // What lies there in the end was acknowledged, so all of it is looked at.
  const rankOf = ({ moment }: CrashState): number => (moment === recording.steps.length ? 0 : random.next());
  const ranked = [...states.values()].map((state) => ({ state, rank: rankOf(state) }));
  const picked = ranked.toSorted((one, other) => one.rank - other.rank).slice(0, most);
  return picked.map(({ state }) => state).toSorted((one, other) => one.moment - other.moment);
}

const everything = (): boolean => true;

/** @param lasting by its number, whether a step lasts */
function* outcomes(steps: readonly DiskStep[], lasting: readonly boolean[], random: Random): Generator<Outcome> {
  const open = steps.flatMap((step, index) => (step.kind === 'sync' || lasting[index] === true ? [] : index));
  const written = new Set(open.flatMap((index) => (steps[index]?.kind === 'write' ? steps[index].inode : [])));
  const entries = open.filter((index) => steps[index]?.kind !== 'write');
  const outcome = (happens: (rank: number) => boolean, fate: () => Fate): Outcome => ({
    happened: inOrder(steps, new Map(entries.map((index, rank) => [index, happens(rank)]))),
    fates: new Map([...written].map((inode) => [inode, fate()]))
  });
  for (const fate of FATES) yield outcome(everything, () => fate);
  const anyFate = (): Fate => random.pick(FATES);
  // As a journal keeps it: a part from the beginning; then all but one, and only one.
  for (const kept of entries.keys()) yield outcome((rank) => rank < kept, anyFate);
  for (const lost of entries.keys()) yield outcome((rank) => rank !== lost, anyFate);
  for (const kept of entries.keys()) yield outcome((rank) => rank === kept, anyFate);
  for (let count = 0; count < RANDOM_OUTCOMES; count += 1) yield outcome(() => random.below(2) === 0, anyFate);
}

function lasts(steps: readonly DiskStep[], step: DiskStep, index: number): boolean {
  return steps.some((other) => other.kind === 'sync' && other.upTo > index && other.inode === keptBy(step));
}

/** What has to be synced for a step to last. */
function keptBy(step: DiskStep): Inode {
  switch (step.kind) {
    case 'enter':
    case 'leave':
      return step.folder;
    case 'move':
      return step.to.folder;
    default:
      return step.inode;
  }
}

/** Adds the moves that are implied by what happened later to the same file or folder. */
function inOrder(steps: readonly DiskStep[], happened: Map<number, boolean>): Map<number, boolean> {
  const movedOn = new Set<Inode>();
  for (const [index, step] of [...steps.entries()].toReversed()) {
    if (step.kind !== 'move' && step.kind !== 'leave') continue;
    if (step.kind === 'move' && movedOn.has(step.inode) && happened.has(index)) happened.set(index, true);
    if (happened.get(index) !== false) movedOn.add(step.inode);
  }
  return happened;
}

function diskAfter(
  start: Disk,
  steps: readonly DiskStep[],
  lasting: readonly boolean[],
  { happened, fates }: Outcome
): Disk {
  const disk = copyOf(start);
  const latest = new Map<Inode, Buffer>();
  for (const [index, step] of steps.entries()) {
    if (step.kind === 'write' && lasting[index] !== true) latest.set(step.inode, step.bytes);
    else if (happened.get(index) !== false) apply(disk, step);
  }
  for (const [inode, bytes] of latest) {
    const synced = disk.files.get(inode) ?? Buffer.alloc(0);
    disk.files.set(inode, fateOf(bytes, synced, fates.get(inode) ?? 'written'));
  }
  return disk;
}

function fateOf(written: Buffer, synced: Buffer, fate: Fate): Buffer {
  switch (fate) {
    case 'written':
      return written;
    case 'unwritten':
      return synced;
    case 'torn':
      return written.subarray(0, Math.max(sameBytes(written, synced), Math.floor(written.length / 2)));
    case 'zeros': {
      const same = sameBytes(written, synced);
      return Buffer.concat([written.subarray(0, same), Buffer.alloc(written.length - same)]);
    }
  }
}

/** How many bytes from the first one on were not changed. */
function sameBytes(one: Buffer, other: Buffer): number {
  const shorter = Math.min(one.length, other.length);
  let same = 0;
  while (same < shorter && one[same] === other[same]) same += 1;
  return same;
}

/** Says with a failure what lay on the disk. */
export async function telling({ moment, disk }: CrashState, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    throw new Error(`after step ${moment}, from\n${describeDisk(disk).join('\n')}`, { cause: error });
  }
}

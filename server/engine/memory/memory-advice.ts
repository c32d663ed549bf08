import { byteText } from '../../../shared/byte-text';
import { Failure } from '../../../shared/failure';
import type { MachineMemory } from '../../platform/machine-memory';
import { estimateRun, type MemoryRequest, type MemoryShare, type RunMemory, sum, type WeighedFile } from './run-memory';

/**
 * What to say about a run before it begins; undefined when there is nothing to say.
 * @throws Failure 'bad-request' when a single component is larger than all memory and swap: such a run cannot be
 */
export function memoryAdvice(
  files: readonly WeighedFile[],
  request: MemoryRequest,
  machine: MachineMemory
): string | undefined {
  const memory = estimateRun(files, request);
  if (!memory) return undefined;
  requireRoom(memory, machine);
  const room = machine.available ?? machine.total;
  if (memory.peakBytes <= room) return undefined;
  return [`${needText(memory)}, and ${roomText(machine)}.`, ...suggestions(files, request, { memory, room })].join(' ');
}

/** Where a run fits or not, for people: "about 2.1 GB at 512 × 512: 318 MB of weights and about 1.7 GB to compute". */
export function memoryText(memory: RunMemory): string {
  const { width, height, weights, buffers, peakBytes } = memory;
  const computing = Math.max(...buffers.map(({ bytes }) => bytes));
  const parts = `${byteText(sum(weights))} of weights and about ${byteText(computing)} to compute`;
  return `about ${byteText(peakBytes)} at ${width} × ${height}: ${parts}, which is an estimate`;
}

/** How much of the machine's memory is there: "8.1 GB of memory are free". */
export function roomText({ total, available }: MachineMemory): string {
  return available === undefined ? `the machine has ${byteText(total)}` : `${byteText(available)} of memory are free`;
}

function needText({ width, height, peakBytes }: RunMemory): string {
  return `By an estimate, the run needs about ${byteText(peakBytes)} of memory for ${width} × ${height} pixels`;
}

function requireRoom({ weights }: RunMemory, { total, swap }: MachineMemory): void {
  const largest = weights.reduce<MemoryShare>((most, share) => (share.bytes > most.bytes ? share : most), NOTHING);
  if (swap === undefined || largest.bytes <= total + swap) return;
  const [needed, there] = [byteText(largest.bytes), byteText(total + swap)];
  throw new Failure(
    'bad-request',
    `The ${largest.what} alone takes ${needed} of memory, and the machine has ${there}, with what it keeps on the disk.`,
    { subject: largest.what, nextStep: 'Take the model with smaller values, for example as a GGUF of Q4.' }
  );
}

const NOTHING: MemoryShare = { what: '', bytes: 0 };

/** What would make the run smaller, each with what it would come to. */
function suggestions(
  files: readonly WeighedFile[],
  request: MemoryRequest,
  { memory, room }: { readonly memory: RunMemory; readonly room: number }
): string[] {
  const ways = [
    ['vae_tiling', { ...request, vae_tiling: true }],
    ['flash_attention', { ...request, flash_attention: true }],
    ['vae_tiling and flash_attention', { ...request, vae_tiling: true, flash_attention: true }]
  ] as const;
  const smaller = ways.flatMap(([what, changed]) => {
    const peak = estimateRun(files, changed)?.peakBytes ?? memory.peakBytes;
    return peak < memory.peakBytes * WORTHWHILE ? [{ what, peak }] : [];
  });
  const [smallest] = smaller.toSorted((one, other) => one.peak - other.peak || one.what.length - other.what.length);
  const best = smaller.find(({ peak }) => peak <= room) ?? smallest;
  return [
    best ? `With ${best.what} it would be about ${byteText(best.peak)}.` : 'A smaller image or smaller weights help.',
    'What a graphics card has is not known here; offload_to_cpu keeps its weights in main memory meanwhile.'
  ];
}

/** What is not smaller by a tenth is not worth a sentence. */
const WORTHWHILE = 0.9;

import { byteText } from '../../../shared/byte-text';
import type { FreedSpace } from '../../../shared/freed-space';
import { freeSpace } from '../../operations/clean-up/free-space';
import type { Command } from '../command';

export const gc: Command = {
  name: 'gc',
  usage: '[--dry-run]',
  summary: 'removes what no installed model uses, old unfinished downloads, and what crashes left',
  options: { 'dry-run': { type: 'boolean' } },
  tidiesUp: true,
  async run(input, { services, console }) {
    const freed = await freeSpace(services, input.flag('dry-run'));
    console.document(freed);
    console.answer(`${freed.dryRun ? 'would be freed' : 'freed'}: ${amounts(freed)}`);
    if (freed.resumableBytes > 0) {
      console.answer(`${byteText(freed.resumableBytes)} of unfinished downloads stay; the next pull goes on with them`);
    }
    if (freed.isPutOff) console.remark('A pull without digests is under way; no file is removed until it is done.');
    return 0;
  }
};

function amounts({ contents, partials, leftovers, bytes }: FreedSpace): string {
  const further = [
    ...(partials > 0 ? [count(partials, 'unfinished download')] : []),
    ...(leftovers > 0 ? [count(leftovers, 'leftover') + ' of crashes'] : [])
  ];
  return [count(contents, 'file'), ...further, byteText(bytes)].join(', ');
}

function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? '' : 's'}`;
}

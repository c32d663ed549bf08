import { byteText } from '../../shared/byte-text';
import { freeSpace } from '../operations/free-space';
import type { Command } from './command';

export const gc: Command = {
  name: 'gc',
  usage: '[--dry-run]',
  summary: 'removes what no installed model uses',
  options: { 'dry-run': { type: 'boolean' } },
  async run(input, { services, console }) {
    const freed = await freeSpace(services, input.flag('dry-run'));
    console.document(freed);
    const what = `${freed.contents} ${freed.contents === 1 ? 'file' : 'files'}, ${byteText(freed.bytes)}`;
    console.answer(freed.dryRun ? `would be freed: ${what}` : `freed: ${what}`);
    if (freed.isPutOff) console.remark('A pull without digests is under way; nothing is removed until it is done.');
    return 0;
  }
};

import { Failure } from '../../shared/failure';
import type { Command } from './command';
import { dropHuggingFace, HUGGINGFACE_OPTION } from './hub-cache';

export const drop: Command = {
  name: 'drop',
  usage: '--huggingface hf:OWNER/REPO[@REVISION]… [--dry-run] | --huggingface --unused [hf:OWNER/REPO…] [--dry-run]',
  summary:
    'deletes revisions, repositories, or what nothing uses from the Hugging Face cache, and says what that frees',
  options: { ...HUGGINGFACE_OPTION, unused: { type: 'boolean' }, 'dry-run': { type: 'boolean' } },
  async run(input, context) {
    if (input.flag('huggingface')) return dropHuggingFace(input, context);
    throw new Failure('wrong-usage', 'Say --huggingface to delete from the Hugging Face cache.');
  }
};

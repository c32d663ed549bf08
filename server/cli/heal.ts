import { Failure } from '../../shared/failure';
import type { Command } from './command';
import { HUGGINGFACE_OPTION, healHuggingFace } from './hub-cache';

export const heal: Command = {
  name: 'heal',
  usage: '--huggingface [hf:OWNER/REPO[@REVISION]…]',
  summary: 'fetches again what is corrupt in the Hugging Face cache',
  options: HUGGINGFACE_OPTION,
  async run(input, context) {
    if (input.flag('huggingface')) return healHuggingFace(input, context);
    throw new Failure('wrong-usage', 'Say --huggingface to heal the Hugging Face cache.', {
      nextStep: 'A damaged model is healed by pulling it again.'
    });
  }
};

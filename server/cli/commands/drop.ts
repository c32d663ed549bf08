import { afterRemoval } from '../../../shared/removal-text';
import { isMadeHere, makeAgain } from '../../operations/convert/made-here';
import { dropModel } from '../../operations/models/drop-model';
import { findModel } from '../../operations/models/known-models';
import type { Command } from '../command';
import { onlyArgument } from '../options/model-arguments';
import { dropHuggingFace, HUGGINGFACE_OPTION } from './hub-cache';

export const drop: Command = {
  name: 'drop',
  usage:
    'NAME [--forget] | --huggingface hf:OWNER/REPO[@REVISION]… [--dry-run]' +
    ' | --huggingface --unused [hf:OWNER/REPO…] [--dry-run]',
  summary: 'removes an installed model, or revisions, repositories and what nothing uses from the Hugging Face cache',
  options: {
    ...HUGGINGFACE_OPTION,
    forget: { type: 'boolean' },
    unused: { type: 'boolean' },
    'dry-run': { type: 'boolean' }
  },
  async run(input, context) {
    if (input.flag('huggingface')) return dropHuggingFace(input, context);
    const { services, console } = context;
    const forget = input.flag('forget');
    const model = await findModel(services, onlyArgument(input, 'model'));
    await dropModel(services, model, { forget });
    console.document({ model: model.name, forgotten: forget });
    console.answer(`${model.name}: ${forget ? 'removed and forgotten' : `removed; ${afterRemoval(model.conversion)}`}`);
    if (!forget && isMadeHere(model)) console.remark(makeAgain(model));
    console.remark('Run "diffusion-dock gc" to free what no other model uses.');
    return 0;
  }
};

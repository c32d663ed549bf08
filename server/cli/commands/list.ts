import { agoText, byteText } from '../../../shared/byte-text';
import { listModels } from '../../operations/models/list-models';
import type { Command } from '../command';
import { HUGGINGFACE_OPTION, listHuggingFace } from './hub-cache';

export const list: Command = {
  name: 'list',
  usage: '[--huggingface]',
  summary: 'models and their statuses; or what the Hugging Face cache holds',
  options: HUGGINGFACE_OPTION,
  async run(input, context) {
    if (input.flag('huggingface')) return listHuggingFace(context);
    const { services, console } = context;
    const models = await listModels(services);
    console.document(models);
    if (models.length === 0)
      console.remark('No models yet. Pull a manifest file: diffusion-dock pull path/to/manifest.json');
    const width = Math.max(0, ...models.map(({ name }) => name.length));
    for (const { name, status, bytes, reason, checkedAt } of models) {
      const size = bytes === undefined ? '' : byteText(bytes);
      const checked = checkedAt === undefined ? '' : `checked ${agoText(checkedAt, Date.now())}`;
      const line = `${name.padEnd(width)}  ${status.padEnd(10)}  ${size.padStart(8)}  ${reason ?? checked}`;
      console.answer(line.trimEnd());
    }
    return 0;
  }
};

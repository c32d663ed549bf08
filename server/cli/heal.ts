import { byteText } from '../../shared/byte-text';
import type { HealResult } from '../../shared/protocol';
import { healModel } from '../operations/heal-model';
import { exists } from '../platform/durable-files';
import type { Command } from './command';
import type { Console } from './console';
import { HUGGINGFACE_OPTION, healHuggingFace } from './hub-cache';
import { namedModels } from './model-arguments';

export const heal: Command = {
  name: 'heal',
  usage: '[NAME…] [--all] | --huggingface [hf:OWNER/REPO[@REVISION]…]',
  summary: 'fetches again what is damaged in installed models, or in the Hugging Face cache',
  options: { all: { type: 'boolean' }, ...HUGGINGFACE_OPTION },
  async run(input, context) {
    if (input.flag('huggingface')) return healHuggingFace(input, context);
    const { services, console, signal } = context;
    const isNamed = input.names.length > 0 && !input.flag('all');
    const results: HealResult[] = [];
    for (const model of await namedModels(input, context)) {
      if (!isNamed && !model.installed && !(await exists(services.layout.model(model.name)))) continue;
      const result = await healModel(services, model, {
        signal,
        onProgress: ({ hashedBytes, totalBytes }) =>
          console.progress(`  ${model.name}  ${byteText(hashedBytes)} of ${byteText(totalBytes)} verified`),
        onEvent: (event) => {
          if (event.type !== 'file_progress') return;
          console.progress(`  ${event.filename}  ${byteText(event.receivedBytes)} received`);
        }
      });
      show(result, console);
      results.push(result);
    }
    console.document(results);
    return results.every(({ report }) => report.healthy) ? 0 : 1;
  }
};

function show({ model, healed, others, transferredBytes, report }: HealResult, console: Console): void {
  const done = healed.length === 0 ? 'nothing to heal' : `${healed.join(', ')} healed, ${byteText(transferredBytes)}`;
  console.answer(`${model}: ${done}`);
  if (others.length > 0) console.answer(`  healed too, for they share the bytes: ${others.join(', ')}`);
  for (const problem of report.problems) console.answer(`  ${console.paint('red', 'problem')}  ${problem}`);
}

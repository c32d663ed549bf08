import { byteText } from '../../../shared/byte-text';
import type { HealResult } from '../../../shared/protocol';
import { healModel } from '../../operations/verify-and-heal/heal-model';
import { exists } from '../../platform/durable-files';
import type { Command } from '../command';
import type { Console } from '../console';
import { eachOf } from '../each-of';
import { CREDENTIAL_OPTION } from '../options/credential-option';
import { namedModels } from '../options/model-arguments';
import { HUGGINGFACE_OPTION, healHuggingFace } from './hub-cache';

export const heal: Command = {
  name: 'heal',
  usage: '[NAME…] [--all] [--credential ALIAS] | --huggingface [hf:OWNER/REPO[@REVISION]…]',
  summary: 'fetches again what is damaged in installed models, or in the Hugging Face cache',
  options: { all: { type: 'boolean' }, ...CREDENTIAL_OPTION, ...HUGGINGFACE_OPTION },
  async run(input, context) {
    if (input.flag('huggingface')) return healHuggingFace(input, context);
    const { services, console, signal } = context;
    const isNamed = input.names.length > 0 && !input.flag('all');
    const answers: unknown[] = [];
    const status = await eachOf(await namedModels(input, context), console, {
      async job(model) {
        if (!isNamed && !model.installed && !(await exists(services.layout.model(model.name)))) return 0;
        const result = await healModel(services, model, {
          signal,
          credentialAlias: input.text('credential'),
          onProgress: ({ hashedBytes, totalBytes }) =>
            console.progress(`  ${model.name}  ${byteText(hashedBytes)} of ${byteText(totalBytes)} verified`),
          onEvent: (event) => {
            if (event.type !== 'file_progress') return;
            console.progress(`  ${event.filename}  ${byteText(event.receivedBytes)} received`);
          }
        });
        show(result, console);
        answers.push(result);
        return result.report.healthy ? 0 : 1;
      },
      onFailed: (model, failure) => answers.push({ model: model.name, error: failure.toJSON() })
    });
    console.document(answers);
    return status;
  }
};

function show({ model, healed, failures, others, transferredBytes, report }: HealResult, console: Console): void {
  const done = healed.length === 0 ? 'nothing to heal' : `${healed.join(', ')} healed, ${byteText(transferredBytes)}`;
  console.answer(`${model}: ${done}`);
  for (const { message } of failures) console.answer(`  ${console.paint('red', 'problem')}  ${message}`);
  if (others.length > 0) console.answer(`  healed too, for they share the bytes: ${others.join(', ')}`);
  for (const problem of report.problems) console.answer(`  ${console.paint('red', 'problem')}  ${problem}`);
}

import { agoText, byteText } from '../../../shared/byte-text';
import type { VerifyReport } from '../../../shared/model';
import { rememberVerdicts, verifyModel } from '../../operations/verify-and-heal/verify-model';
import { exists } from '../../platform/durable-files';
import type { Command } from '../command';
import type { Console } from '../console';
import { eachOf } from '../each-of';
import { namedModels } from '../options/model-arguments';
import { HUGGINGFACE_OPTION, verifyHuggingFace } from './hub-cache';

export const verify: Command = {
  name: 'verify',
  usage: '[NAME…] [--all] [--quick] [--force] | --huggingface [hf:OWNER/REPO[@REVISION]…] [--force]',
  summary: 'says whether installed files, or those in the Hugging Face cache, are what they should be',
  options: {
    all: { type: 'boolean' },
    quick: { type: 'boolean' },
    force: { type: 'boolean' },
    ...HUGGINGFACE_OPTION
  },
  async run(input, context) {
    if (input.flag('huggingface')) return verifyHuggingFace(input, context);
    const { services, console, signal } = context;
    const isNamed = input.names.length > 0 && !input.flag('all');
    const reports: VerifyReport[] = [];
    const answers: unknown[] = [];
    const status = await eachOf(await namedModels(input, context), console, {
      async job(model) {
        // Without names, what was never installed is nothing to complain about.
        if (!isNamed && !model.installed && !(await exists(services.layout.model(model.name)))) return 0;
        const report = await verifyModel(services, model, {
          depth: input.flag('quick') ? 'quick' : 'deep',
          force: input.flag('force'),
          signal,
          onProgress: ({ hashedBytes, totalBytes }) =>
            console.progress(`  ${model.name}  ${byteText(hashedBytes)} of ${byteText(totalBytes)}`)
        });
        show(report, console);
        reports.push(report);
        answers.push(report);
        return report.healthy ? 0 : 1;
      },
      onFailed: (model, failure) => answers.push({ model: model.name, error: failure.toJSON() })
    });
    await rememberVerdicts(services, reports);
    console.document(answers);
    return status;
  }
};

function show({ model, depth, healthy, files, problems, bytes }: VerifyReport, console: Console): void {
  const what = depth === 'deep' ? `${byteText(bytes)} read` : 'existence, sizes and what is remembered';
  const now = Date.now();
  console.answer(
    `${model}: ${healthy ? console.paint('green', 'healthy') : console.paint('red', 'unhealthy')}, ${what}`
  );
  for (const problem of problems) console.answer(`  ${console.paint('red', 'problem')}  ${problem}`);
  for (const { path, verdict, reason, provedAt } of files) {
    const colour = verdict === 'corrupt' ? 'red' : verdict === 'verified' ? 'green' : 'dim';
    const when = provedAt === undefined ? [] : [`Read ${agoText(provedAt, now)}, unchanged since.`];
    const remarks = [...(reason === undefined ? [] : [reason]), ...when].join(' ');
    console.answer(`  ${console.paint(colour, verdict.padEnd(12))}  ${path}  ${remarks}`.trimEnd());
  }
}

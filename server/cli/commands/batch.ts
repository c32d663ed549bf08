import { resolve } from 'node:path';
import type { BatchResult } from '../../../shared/batch';
import { detailText } from '../../../shared/generation-text';
import { quotedFor } from '../../../shared/shell-quoting';
import type { BatchEvent } from '../../operations/batch/batch-options';
import { type BatchCheck, checkBatch } from '../../operations/batch/check-batch';
import { runBatch } from '../../operations/batch/run-batch';
import type { Command, CommandInput } from '../command';
import type { Console } from '../console';
import { onlyArgument } from '../options/model-arguments';
import { pathOf } from '../options/path-option';
import { minutesOf } from '../results/generation-report';
import { showPublishing } from './publish';
import { showPullEvent } from './pull';

export const batch: Command = {
  name: 'batch',
  usage:
    'FILE [--resume|--restart] [--store NAME|URL] [--publish] [--output DIR] [--dry-run] [--time-limit MINUTES] ' +
    '[--lora-folder DIR] [--device NAME]',
  summary: 'makes the images that a JSON or CSV file asks for; stopped or killed, it goes on here or elsewhere',
  options: {
    resume: { type: 'boolean' },
    restart: { type: 'boolean' },
    store: { type: 'string' },
    publish: { type: 'boolean' },
    output: { type: 'string', short: 'o' },
    'dry-run': { type: 'boolean' },
    'time-limit': { type: 'string' },
    'lora-folder': { type: 'string' },
    device: { type: 'string' }
  },
  async run(input, context) {
    const { services, console, signal, folder } = context;
    const file = resolve(folder, onlyArgument(input, 'batch file'));
    const options = {
      signal,
      loraFolder: pathOf(input, 'lora-folder', folder),
      device: input.text('device'),
      output: pathOf(input, 'output', folder)
    };
    const resume = input.flag('resume');
    const params = {
      file,
      store: input.text('store'),
      resume,
      restart: input.flag('restart'),
      publish: input.flag('publish'),
      timeLimitMinutes: minutesOf(input.text('time-limit'))
    };
    if (input.flag('dry-run')) {
      showCheck(await checkBatch(services, params, options), params.publish, console);
      return 0;
    }
    let hasBegun = false;
    const onEvent = (event: BatchEvent): void => {
      hasBegun ||= event.type === 'progress';
      show(event, console);
    };
    try {
      const result = await runBatch(services, params, { ...options, onEvent });
      showResult(result, console);
      return result.failed.length > 0 ? 1 : 0;
    } catch (error) {
      if (hasBegun) console.remark(`It goes on with: ${commandToResume(input)}`);
      throw error;
    }
  }
};

/** Options that a batch needs again to go on as it was begun. */
const KEPT_OPTIONS = ['home', 'store', 'output', 'lora-folder', 'device', 'time-limit'];

function commandToResume(input: CommandInput): string {
  const kept = KEPT_OPTIONS.flatMap((option) => {
    const value = input.text(option);
    return value === undefined ? [] : [`--${option}`, value];
  });
  const publish = input.flag('publish') ? ['--publish'] : [];
  const words = ['diffusion-dock', 'batch', ...input.names, '--resume', ...kept, ...publish];
  return quotedFor(process.platform === 'win32' ? 'powershell' : 'posix', words);
}

function show(event: BatchEvent, console: Console): void {
  switch (event.type) {
    case 'pull':
      showPullEvent(event.event, console);
      return;
    case 'notice':
      console.document(event);
      console.remark(`${console.paint('yellow', 'warning')}: ${event.sentence}`);
      return;
    case 'progress': {
      const { item, items, generation } = event.progress;
      console.document({ type: 'progress', ...event.progress });
      console.progress(`  ${item}/${items}  ${generation ? detailText(generation) : ''}`);
      return;
    }
    case 'publishing':
      showPublishing(event.progress, console);
      return;
    case 'made':
      console.document(event);
      console.remark(`  ${event.item}/${event.items}  seed ${event.image.seed}, id ${event.image.id}`);
      return;
    case 'passed_over':
      console.document(event);
      console.remark(
        `  ${event.item}/${event.items}  ${console.paint('red', 'passed over')}: ${event.failure.message}`
      );
  }
}

function showResult(result: BatchResult, console: Console): void {
  const { job, items, made, reused, failed, images, published } = result;
  console.document(result);
  for (const { path } of images) console.answer(path);
  const parts = [
    `${made} made`,
    ...(reused > 0 ? [`${reused} from before`] : []),
    ...(failed.length > 0 ? [`${failed.length} passed over`] : [])
  ];
  console.remark(`${job}: ${items} ${items === 1 ? 'item' : 'items'}, ${parts.join(', ')}`);
  if (published) {
    const { model, store, isUnchanged } = published;
    console.remark(`results ${isUnchanged ? 'are published already' : 'published'} as ${model} in ${store}`);
  }
}

function showCheck(check: BatchCheck, isToBePublished: boolean, console: Console): void {
  const { job, items, models, store } = check;
  console.document(check);
  for (const { name, isInstalled } of models)
    console.answer(`  ${name}  ${isInstalled ? 'installed' : 'to be pulled'}`);
  if (store !== null) {
    console.answer(`  ${store}  can be written${isToBePublished ? `; results can be published there as ${job}` : ''}`);
  }
  console.answer(`${job}: ${items} ${items === 1 ? 'image' : 'images'} to make`);
}

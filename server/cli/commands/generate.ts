import type { GenerationResult } from '../../../shared/generation';
import { generateImage } from '../../operations/generate/generate-image';
import type { Command } from '../command';
import { enlargingWish, wishOf } from '../options/generation-wish';
import { outputPath, pathOf } from '../options/path-option';
import { REQUEST_OPTIONS, REQUEST_USAGE } from '../options/request-options';
import { enlargeAgain } from '../results/enlarge-again';
import { exportImages } from '../results/export-images';
import { minutesOf, reported, warningsOnce } from '../results/generation-report';

export const generate: Command = {
  name: 'generate',
  usage:
    'NAME --prompt TEXT|--from-image FILE | [NAME] --like ID ' +
    `[--output FILE] [--preview FILE] [--time-limit MINUTES] [--lora-folder DIR] [--device NAME] ${REQUEST_USAGE}`,
  summary: 'makes images and prints their paths; --like makes one again, --from-image what a file says it was made by',
  options: {
    ...REQUEST_OPTIONS,
    output: { type: 'string', short: 'o' },
    preview: { type: 'string' },
    'time-limit': { type: 'string' },
    'lora-folder': { type: 'string' },
    like: { type: 'string' },
    'from-image': { type: 'string' },
    device: { type: 'string' }
  },
  async run(input, context) {
    const { services, console, signal, folder } = context;
    const output = outputPath(input, folder);
    const enlarging = await enlargingWish(input, context);
    if (enlarging) return enlargeAgain(enlarging, input, context);
    const { model, request, remarks, like } = await wishOf(input, context);
    for (const remark of remarks) console.remark(remark);
    const options = {
      signal,
      repeats: like,
      timeLimitMinutes: minutesOf(input.text('time-limit')),
      loraFolder: pathOf(input, 'lora-folder', folder),
      device: input.text('device')
    };
    const onNotice = warningsOnce(console);
    const preview = pathOf(input, 'preview', folder);
    const result = await reported(model.name, console, preview, (sinks) =>
      generateImage(services, model, request, { ...options, ...sinks, onNotice })
    );
    console.document({ ...result, ...((like || remarks.length > 0) && { remarks }) });
    for (const warning of result.warnings) onNotice(warning);
    for (const { width, height, seed, id } of result.images)
      console.remark(`${width} × ${height}, seed ${seed}, id ${id}`);
    if (like) console.remark(sameOrNot(like.image.id, result));
    for (const { path } of result.images) console.answer(path);
    if (output !== undefined) await exportImages(result.images, output);
    return 0;
  }
};

function sameOrNot(like: string, { images }: GenerationResult): string {
  return images.some(({ id }) => id === like)
    ? 'The image is the same, byte for byte.'
    : 'The image is not the same, byte for byte.';
}

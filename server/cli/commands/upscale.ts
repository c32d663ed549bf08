import { resolve } from 'node:path';
import { Failure } from '../../../shared/failure';
import { upscaleImage } from '../../operations/generate/upscale-image';
import { findModel } from '../../operations/models/known-models';
import type { Command } from '../command';
import { onlyArgument } from '../options/model-arguments';
import { outputPath } from '../options/path-option';
import { exportImages } from '../results/export-images';
import { minutesOf, reported, warningsOnce } from '../results/generation-report';

export const upscale: Command = {
  name: 'upscale',
  usage: 'IMAGE --model NAME [--output FILE] [--time-limit MINUTES]',
  summary: 'enlarges an image and prints the path of the larger one',
  options: {
    model: { type: 'string' },
    output: { type: 'string', short: 'o' },
    'time-limit': { type: 'string' }
  },
  async run(input, { services, console, signal, folder }) {
    const image = resolve(folder, onlyArgument(input, 'image'));
    const output = outputPath(input, folder);
    const name = input.text('model');
    if (name === undefined) throw new Failure('wrong-usage', 'Say what to enlarge with: --model NAME.');
    const model = await findModel(services, name);
    const timeLimitMinutes = minutesOf(input.text('time-limit'));
    const onNotice = warningsOnce(console);
    const result = await reported(name, console, undefined, ({ onProgress }) =>
      upscaleImage(services, model, image, { signal, onProgress, onNotice, timeLimitMinutes })
    );
    console.document(result);
    for (const warning of result.warnings) onNotice(warning);
    for (const { width, height, id, path } of result.images) {
      console.remark(`${width} × ${height}, id ${id}`);
      console.answer(path);
    }
    if (output !== undefined) await exportImages(result.images, output);
    return 0;
  }
};

import { resolve } from 'node:path';
import { generateImage } from '../operations/generate/generate-image';
import { findModel } from '../operations/known-models';
import type { Command } from './command';
import { exportImages } from './export-images';
import { minutesOf, reported } from './generation-report';
import { onlyArgument } from './model-arguments';
import { REQUEST_OPTIONS, REQUEST_USAGE, requestOf } from './request-options';

export const generate: Command = {
  name: 'generate',
  usage:
    'NAME --prompt TEXT [--output FILE] [--preview FILE] [--time-limit MINUTES] [--lora-folder DIR] ' + REQUEST_USAGE,
  summary: 'makes images and prints their paths',
  options: {
    ...REQUEST_OPTIONS,
    output: { type: 'string', short: 'o' },
    preview: { type: 'string' },
    'time-limit': { type: 'string' },
    'lora-folder': { type: 'string' }
  },
  async run(input, { services, console, signal, folder }) {
    const name = onlyArgument(input, 'model');
    const request = requestOf(input, folder);
    const path = (option: string): string | undefined => {
      const written = input.text(option);
      return written === undefined ? undefined : resolve(folder, written);
    };
    const model = await findModel(services, name);
    const options = {
      signal,
      timeLimitMinutes: minutesOf(input.text('time-limit')),
      loraFolder: path('lora-folder')
    };
    const result = await reported(name, console, path('preview'), (sinks) =>
      generateImage(services, model, request, { ...options, ...sinks })
    );
    const output = path('output');
    if (output !== undefined) await exportImages(result.images, output);
    console.document(result);
    for (const warning of result.warnings) console.remark(`${console.paint('yellow', 'warning')}: ${warning}`);
    for (const { width, height, seed, id } of result.images)
      console.remark(`${width} × ${height}, seed ${seed}, id ${id}`);
    for (const { path: kept } of result.images) console.answer(kept);
    return 0;
  }
};

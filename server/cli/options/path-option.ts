import { resolve } from 'node:path';
import { Failure } from '../../../shared/failure';
import type { CommandInput } from '../command';

/**
 * The absolute path that an option names; undefined when the option is not there.
 * @param folder absolute path that it is relative to
 */
export function pathOf(input: CommandInput, option: string, folder: string): string | undefined {
  const written = input.text(option);
  return written === undefined ? undefined : resolve(folder, written);
}

/** Names that promise another format than images and videos are made in. */
const OTHER_FORMAT = /\.(jpe|jpe?g|webp|bmp|gif|tiff?|avif|heic|jxl|mp4|mkv|mov|webm)$/i;

/**
 * Where `--output` wants images to be copied to.
 * @throws Failure('wrong-usage') for a name that says another format than they have
 */
export function outputPath(input: CommandInput, folder: string): string | undefined {
  const path = pathOf(input, 'output', folder);
  const [extension] = OTHER_FORMAT.exec(path ?? '') ?? [];
  if (extension === undefined) return path;
  throw new Failure('wrong-usage', `--output names a ${extension} file; images are made as PNG, videos as AVI.`, {
    nextStep: 'Name a file that ends in .png, or in .avi for a video.'
  });
}

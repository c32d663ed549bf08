import { extname, resolve } from 'node:path';
import { Failure } from '../../shared/failure';
import type { CommandInput } from './command';

/**
 * The absolute path that an option names; undefined when the option is not there.
 * @param folder absolute path that it is relative to
 */
export function pathOf(input: CommandInput, option: string, folder: string): string | undefined {
  const written = input.text(option);
  return written === undefined ? undefined : resolve(folder, written);
}

/** Extensions that promise something else than images and videos are made as. */
const OTHER_FORMATS: ReadonlySet<string> = new Set(
  [
    ['.jpg', '.jpeg', '.jpe', '.webp', '.bmp', '.gif', '.tif', '.tiff', '.avif', '.heic', '.jxl'],
    ['.mp4', '.mkv', '.mov', '.webm']
  ].flat()
);

/**
 * Where `--output` wants images to be copied to.
 * @throws Failure('wrong-usage') for a name that says another format than they have
 */
export function outputPath(input: CommandInput, folder: string): string | undefined {
  const path = pathOf(input, 'output', folder);
  const extension = path === undefined ? '' : extname(path);
  if (!OTHER_FORMATS.has(extension.toLowerCase())) return path;
  throw new Failure('wrong-usage', `--output names a ${extension} file; images are made as PNG, videos as AVI.`, {
    nextStep: 'Name a file that ends in .png, or in .avi for a video.'
  });
}

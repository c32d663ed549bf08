import { Failure } from '../../../shared/failure';
import type { EnlargingAgain } from '../../operations/generate/repeat-enlarging';
import { upscaleImage } from '../../operations/generate/upscale-image';
import type { CommandContext, CommandInput, ExitStatus } from '../command';
import { outputPath } from '../options/path-option';
import { requestValues } from '../options/request-options';
import { exportImages } from './export-images';
import { minutesOf, reported, warningsOnce } from './generation-report';

/** Enlarges an image of the gallery again, and says whether the result is the same. @throws Failure */
export async function enlargeAgain(
  { image, model, original, differences }: EnlargingAgain,
  input: CommandInput,
  { services, console, signal, folder }: CommandContext
): Promise<ExitStatus> {
  const [changed] = Object.keys(requestValues(input, folder));
  if (changed !== undefined) {
    throw new Failure('bad-request', `${changed}: an enlarged image has no such setting.`, { subject: changed });
  }
  for (const difference of differences) console.remark(difference);
  const output = outputPath(input, folder);
  const timeLimitMinutes = minutesOf(input.text('time-limit'));
  const options = { signal, timeLimitMinutes, name: original.name };
  const onNotice = warningsOnce(console);
  const result = await reported(model.name, console, undefined, ({ onProgress }) =>
    upscaleImage(services, model, original.path, { ...options, onProgress, onNotice })
  );
  console.document({ ...result, remarks: differences });
  for (const warning of result.warnings) onNotice(warning);
  const isSame = result.images.some(({ id }) => id === image.id);
  console.remark(`The image is ${isSame ? 'the same' : 'not the same'}, byte for byte.`);
  for (const { path } of result.images) console.answer(path);
  if (output !== undefined) await exportImages(result.images, output);
  return 0;
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../../../shared/digest';
import { parseDigest } from '../../../shared/digest';
import { Failure } from '../../../shared/failure';
import type { GenerationRequest } from '../../../shared/generation';
import { fileFailure } from '../../platform/system-error';
import { readGenerationRequest } from '../generate/check';
import type { BatchFile } from './batch-file';
import type { BatchOptions } from './definition';
import type { BatchItem } from './expand';

/** The request of an item; paths of images are relative to the folder of the batch file. @throws Failure('bad-request') */
export function requestOfItem(
  { prompt, options, seed }: BatchItem,
  { path }: Pick<BatchFile, 'path'>
): GenerationRequest {
  const folder = dirname(path);
  const { init_image, mask, control_image, references, ...settings } = options;
  return readGenerationRequest({
    ...settings,
    ...(init_image !== undefined && { init_image: resolve(folder, init_image) }),
    ...(mask !== undefined && { mask: resolve(folder, mask) }),
    ...(control_image !== undefined && { control_image: resolve(folder, control_image) }),
    ...(references && { references: references.map((reference) => resolve(folder, reference)) }),
    prompt,
    seed
  });
}

/**
 * The SHA-256 of every image that items are made from, by its path as it is written.
 * @throws Failure that names the place in the batch file where an image is named that cannot be read
 */
export async function inputDigests(
  items: readonly BatchItem[],
  file: Pick<BatchFile, 'path' | 'placeOf'>,
  signal: AbortSignal
): Promise<Record<string, Digest>> {
  const digests = new Map<string, Digest>();
  // Sets of options are shared among items.
  const sets = new Map(items.map((item) => [item.options, item]));
  for (const [options, item] of sets) {
    for (const written of imagesOf(options)) {
      if (!digests.has(written)) digests.set(written, await digestOfImage(written, item, file, signal));
    }
  }
  return Object.fromEntries(digests);
}

function imagesOf({ init_image, mask, control_image, references = [] }: BatchOptions): string[] {
  return [init_image, mask, control_image, ...references].flatMap((path) => path ?? []);
}

async function digestOfImage(
  written: string,
  { source }: BatchItem,
  file: Pick<BatchFile, 'path' | 'placeOf'>,
  signal: AbortSignal
): Promise<Digest> {
  const path = resolve(dirname(file.path), written);
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash, { signal });
  } catch (error) {
    const failure = fileFailure(error, `The image ${written} cannot be read.`, path);
    if (!(failure instanceof Failure)) throw failure;
    throw new Failure(failure.code, failure.message, {
      subject: file.placeOf(source.options),
      cause: error,
      ...(failure.nextStep !== undefined && { nextStep: failure.nextStep })
    });
  }
  const digest = parseDigest(hash.digest('hex'));
  if (!digest) throw new Error('a SHA-256 has 64 digits');
  return digest;
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import { parametersText } from './metadata.mjs';
import { paintPicture } from './picture.mjs';
import { encodePng } from './png.mjs';
import { Stopped } from './stopped.mjs';

const OTHER_ENCODINGS = new Set(['.jpg', '.jpeg', '.jpe', '.webp']);
const COUNTER = /%(0?)(\d*)d/;

/** The size of the recorded full disk: bytes after which a write stopped. */
const FULL_DISK_BYTES = 4096;

const SYSTEM_WORDS = {
  EACCES: 'Permission denied',
  EEXIST: 'Not a directory',
  ENOTDIR: 'Not a directory',
  EROFS: 'Read-only file system',
  ENOSPC: 'No space left on device'
};

/** Throws `Stopped` when the output's name asks for an encoding that the stand-in does not have. */
export function checkEncoding(output) {
  const extension = extname(output).toLowerCase();
  if (OTHER_ENCODINGS.has(extension)) throw new Stopped(`the stand-in cannot encode ${extension} images, only .png`);
}

/** The file of image `index` (from 0): the counter in the name, else `_N` for a batch; `.png` is added if missing. */
function outputPath({ output, batch, beginIndex }, index) {
  const number = String(beginIndex + index);
  const named = COUNTER.test(output)
    ? output.replace(COUNTER, (_, zero, width) => number.padStart(Number(width || 0), zero === '' ? ' ' : '0'))
    : output;
  const stem = extname(named).toLowerCase() === '.png' ? named.slice(0, -4) : named;
  const extension = stem === named ? '.png' : named.slice(-4);
  return COUNTER.test(output) || batch === 1 ? `${stem}${extension}` : `${stem}_${number}${extension}`;
}

/**
 * Writes every image of the run, with the recorded lines. Resolves to the exit code: 0 as soon as one was saved.
 * Directories are made, existing files are overwritten.
 */
export async function saveImages(console, request, { width, height }, faults) {
  const folder = dirname(outputPath(request, 0));
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    const words = SYSTEM_WORDS[error.code] ?? error.code;
    await console.error('main.cpp:452', `failed to create directory '${folder}': ${words}`);
    return 1;
  }
  const unwritable = faults.has('partial-batch') ? Math.min(1, request.batch - 1) : -1;
  let saved = 0;
  for (let index = 0; index < request.batch; index += 1) {
    const path = outputPath(request, index);
    const seed = request.seed + index;
    const parameters = request.withMetadata ? parametersText(request, seed) : undefined;
    const image = encodePng({ width, height, pixels: paintPicture(width, height, seed), parameters });
    const success = index !== unwritable && writeImage(path, image, faults);
    saved += success ? 1 : 0;
    const outcome = success ? 'success' : 'failure';
    await console.info('main.cpp:490', `save result image ${index} to '${path}' (${outcome})`);
  }
  const source = COUNTER.test(request.output) ? 'main.cpp:523' : 'main.cpp:562';
  await console.info(source, `${saved}/${request.batch} images saved`);
  return saved === 0 ? 1 : 0;
}

function writeImage(path, image, faults) {
  if (faults.has('no-file')) return true;
  const kept = Math.min(FULL_DISK_BYTES, Math.floor(image.length / 2));
  try {
    writeFileSync(path, faults.has('disk-full') ? image.subarray(0, kept) : image);
    return true;
  } catch {
    return false;
  }
}

import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { decodePng } from './png.mjs';

/**
 * Reads an input image: `{ width, height, channels }`, or undefined when the recorded program could not decode it.
 * As there, a name ending in `.webp` must be WEBP, and any other name must not be.
 */
function readInputImage(path) {
  let bytes;
  try {
    bytes = readFileSync(path);
  } catch {
    return undefined;
  }
  if (extname(path).toLowerCase() === '.webp') return webpSize(bytes);
  return decodePng(bytes) ?? jpegSize(bytes) ?? bitmapSize(bytes);
}

/**
 * Loads an input image with the recorded lines; `caller` is the source line that repeats the failure. With `target`
 * the image is cropped to its aspect and resized. Resolves to the size, or to undefined after an error.
 */
export async function loadInputImage(console, path, caller, target) {
  const image = readInputImage(path);
  if (image === undefined) {
    const reader = extname(path).toLowerCase() === '.webp' ? 509 : 538;
    await console.error(`media_io.cpp:${reader}`, `load image from '${path}' failed`);
  } else if (image.channels < 3) {
    const text = `the number of channels for the input image must be >= 3,but got ${image.channels} channels`;
    await console.write('stderr', `${text}, image_path = ${path}`);
  } else {
    if (target !== undefined) await fitImage(console, path, image, target);
    return image;
  }
  await console.error(caller, `load image from '${path}' failed`);
  return undefined;
}

async function fitImage(console, path, image, target) {
  if (image.width === target.width && image.height === target.height) return;
  const from = { width: image.width, height: image.height };
  const aspect = target.width / target.height;
  if (image.width / image.height > aspect) from.width = Math.floor(image.height * aspect);
  else from.height = Math.floor(image.width / aspect);
  if (from.width !== image.width || from.height !== image.height) {
    const sizes = `${image.width}x${image.height} to ${from.width}x${from.height}`;
    await console.info('media_io.cpp:575', `crop input image from ${sizes}, image_path = ${path}`);
  }
  const sizes = `${from.width}x${from.height} to ${target.width}x${target.height}`;
  await console.info('media_io.cpp:592', `resize input image from ${sizes}`);
}

function jpegSize(bytes) {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return undefined;
  for (let offset = 2; offset + 10 <= bytes.length; ) {
    const marker = bytes.readUInt16BE(offset);
    if (marker >= 0xffc0 && marker <= 0xffc2) {
      const height = bytes.readUInt16BE(offset + 5);
      return { height, width: bytes.readUInt16BE(offset + 7), channels: bytes[offset + 9] };
    }
    if (marker < 0xff01) return undefined;
    offset += 2 + bytes.readUInt16BE(offset + 2);
  }
  return undefined;
}

function bitmapSize(bytes) {
  if (bytes.length < 54 || bytes.toString('latin1', 0, 2) !== 'BM') return undefined;
  return { width: bytes.readInt32LE(18), height: Math.abs(bytes.readInt32LE(22)), channels: 3 };
}

function webpSize(bytes) {
  if (bytes.length < 30 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WEBP') {
    return undefined;
  }
  switch (bytes.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff, channels: 3 };
    case 'VP8L': {
      const packed = bytes.readUInt32LE(21);
      return { width: (packed & 0x3fff) + 1, height: ((packed >>> 14) & 0x3fff) + 1, channels: 3 };
    }
    case 'VP8X':
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1, channels: 3 };
    default:
      return undefined;
  }
}

import { writeFileSync } from 'node:fs';
import { paintPicture } from './picture.mjs';
import { encodePng } from './png.mjs';

const PROJECTION_SCALE = 8;

/**
 * Writes the preview of one step over the last one: an eighth of the size for `proj`, the full size for `tae` and
 * `vae`, nothing for `none`. `share` (0 to 1) is how much of the picture shows through the noise. A file that cannot be
 * written is an error line, and the run goes on.
 */
export async function writePreview(console, { method, path }, { width, height }, seed, share) {
  if (method === 'none') return;
  const scale = method === 'proj' ? PROJECTION_SCALE : 1;
  const edges = { width: width / scale, height: height / scale };
  const pixels = paintPicture(edges.width, edges.height, seed);
  const noise = paintPicture(edges.width, edges.height, seed + 1);
  for (const [index, value] of pixels.entries()) {
    pixels[index] = Math.round(value * share + noise[(index * 7919) % noise.length] * (1 - share));
  }
  try {
    writeFileSync(path, encodePng({ ...edges, pixels }));
  } catch {
    await console.error('main.cpp:387', `save preview image to '${path}' failed`);
  }
}

import { Refused } from './arguments.mjs';
import { loadInputImage } from './input-image.mjs';
import { loadTensors } from './loading.mjs';
import { readModelFile } from './model-loader.mjs';
import { saveImages } from './output-files.mjs';
import { Stopped } from './stopped.mjs';

/** Enlarges the init image as recorded; a model that cannot be read leaves the image as it is, and the run succeeds. */
export async function upscale(console, clock, values, faults) {
  if (!values.has('--upscale-model')) {
    throw new Refused([['common.cpp:748', 'error: upscale mode needs an upscaler model (--upscale-model)']]);
  }
  if (!values.has('--init-img')) {
    throw new Refused([['common.cpp:2468', 'error: upscale mode needs an init image (--init-img)']]);
  }
  const image = await loadInputImage(console, values.get('--init-img'), 'main.cpp:749');
  if (image === undefined) throw new Stopped();
  await console.info('common.cpp:2205', `set width x height to ${image.width} x ${image.height}`);
  const scale = (await enlarge(console, clock, values.get('--upscale-model'), image)) ?? 1;
  const size = { width: image.width * scale, height: image.height * scale };
  const request = { output: values.get('--output') ?? 'output.png', batch: 1, beginIndex: 0, seed: 42 };
  return saveImages(console, { ...request, withMetadata: false }, size, faults);
}

/** Resolves to the scale, which is two for each layer that enlarges; undefined without a model. */
async function enlarge(console, clock, path, { width, height }) {
  const tensors = await readModelFile(console, clock, path);
  if (tensors === undefined) {
    await console.error('upscaler.cpp:84', `init model loader from file failed: '${path}'`);
    await console.error('main.cpp:979', 'new_upscaler_ctx failed');
    return undefined;
  }
  const scale = 2 ** tensors.filter(({ name }) => /^conv_up\d\.weight$/.test(name)).length;
  await console.info('upscaler.cpp:88', 'Upscaler weight type: f16');
  const target = `(${width * scale} x ${height * scale})`;
  await console.info('upscaler.cpp:156', `upscaling from (${width} x ${height}) to ${target}`);
  const start = clock.now;
  await loadTensors(
    console,
    clock,
    tensors.map((tensor) => ({ ...tensor, path }))
  );
  await console.info('upscaler.cpp:168', `input_image_tensor upscaled, taking ${clock.since(start)}`);
  return scale;
}

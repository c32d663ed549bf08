import { RECORDED_SECONDS } from './clock.mjs';

const MEBIBYTE = 2 ** 20;

/** Speed at which the recorded machine took big weights, in MiB/s, and time between two states of a loading bar. */
const LOAD_RATE = 100;

/**
 * Reads the weights of one part: a bar that counts tensors, and the line that sums up. Resolves to false when the data
 * of a tensor is cut; then the bar is missing and the error names the file, as recorded.
 */
export async function loadTensors(console, clock, tensors) {
  const size = tensors.reduce((sum, { bytes }) => sum + bytes, 0) / MEBIBYTE;
  const ticks = Math.max(1, Math.ceil(size / (LOAD_RATE * RECORDED_SECONDS.loadTick)));
  const start = clock.now;
  const cut = tensors.find(({ whole }) => !whole);
  for (let tick = 1; tick <= ticks; tick += 1) {
    await clock.spend(RECORDED_SECONDS.loadTick);
    if (cut !== undefined) break;
    const done = Math.max(1, Math.floor((tensors.length * tick) / ticks));
    const rate = (size * tick) / ticks / (clock.now - start);
    await console.bar('load', done, tensors.length, `${rate.toFixed(2)}MB/s`);
  }
  if (cut !== undefined) await console.error('model_loader.cpp:1172', `read tensor data failed: '${cut.path}'`);
  const details = '(read: 0.01s, memcpy: 0.00s, convert: 0.00s, copy_to_backend: 0.00s)';
  const text = `loading tensors completed, taking ${clock.since(start)} ${details}`;
  await console.info('model_loader.cpp:1304', text);
  if (cut !== undefined) await console.error('model_manager.cpp:857', 'model manager load tensors failed');
  return cut === undefined;
}

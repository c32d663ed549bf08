import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { ggufHeader, keepsItsType } from './gguf-writer.mjs';
import { readModelFile } from './model-loader.mjs';
import { Stopped } from './stopped.mjs';

/** Recorded: 7.13 s for 686 tensors, whatever they became. */
const SECONDS_PER_TENSOR = 0.0104;

/**
 * Converts one model file as recorded: the header of what comes out is the recorded one, its data are a hole.
 * Resolves to the exit code. A source that is cut leaves a file of the right length behind, as recorded.
 */
export async function convert(console, clock, values) {
  const source = values.get('--model') ?? '';
  const output = values.get('--output') ?? 'output.gguf';
  const failed = async (...lines) => {
    for (const [place, text] of lines) await console.error(place, text);
    await console.error('main.cpp:723', `convert '${source}'/'' to '${output}' failed`);
    return 1;
  };
  if (values.has('--vae')) throw new Stopped('has no recording of a conversion with a VAE');
  const found = await readModelFile(console, clock, source);
  if (found === undefined) return failed(['convert.cpp:318', `init model loader from file failed: '${source}'`]);
  const tensors = found.toSorted(byName).map((tensor) => ({ ...tensor, type: typeOf(tensor, values.get('--type')) }));
  await console.info('convert.cpp:68', `collected ${tensors.length} tensors for export`);
  await console.info('gguf_io.cpp:164', `trying to save tensors to ${output}`);
  if (!writeHole(output, tensors)) return failed(['convert.cpp:348', `failed to open output file '${output}'`]);
  await console.info('convert.cpp:169', `streaming convert with ${values.get('--threads') ?? 1} threads`);
  const start = clock.now;
  const cut = await showBars(console, clock, tensors);
  await console.write('stdout', '\n');
  if (cut !== undefined) {
    return failed(
      ['model_loader.cpp:1172', `read tensor data failed: '${source}'`],
      ['model_loader.cpp:1354', `load tensor failed: '${cut}'`],
      ['convert.cpp:348', `failed to load tensor '${cut}'`]
    );
  }
  await console.info('convert.cpp:292', `streaming conversion completed, taking ${clock.since(start)}`);
  await console.info('main.cpp:729', `convert '${source}'/'' to '${output}' success`);
  return 0;
}

/** One state of the bar for each tensor; resolves to the name of the first whose data are cut, and stops before it. */
async function showBars(console, clock, tensors) {
  const start = clock.now;
  let mebibytes = 0;
  for (const [index, { name, bytes, whole }] of tensors.entries()) {
    if (!whole) return name;
    await clock.spend(SECONDS_PER_TENSOR);
    mebibytes += bytes / 2 ** 20;
    const rate = mebibytes / (clock.now - start);
    await console.bar('load', index + 1, tensors.length, `${rate.toFixed(2)}MB/s`);
  }
  return undefined;
}

function typeOf(tensor, asked) {
  return asked === undefined || keepsItsType(tensor, asked) ? tensor.type : asked;
}

function writeHole(path, tensors) {
  const { header, bytes } = ggufHeader(tensors);
  try {
    const file = openSync(path, 'w');
    writeSync(file, header);
    ftruncateSync(file, bytes);
    closeSync(file);
    return true;
  } catch {
    return false;
  }
}

function byName({ name: left }, { name: right }) {
  return left < right ? -1 : left > right ? 1 : 0;
}

import { parseArguments, Refused, Uncaught } from './arguments.mjs';
import { Clock, RECORDED_SECONDS, speedFrom } from './clock.mjs';
import { Console } from './console.mjs';
import { openContext } from './context.mjs';
import { convert } from './convert.mjs';
import { dieBy, faultsFrom } from './faults.mjs';
import { Generation } from './generation.mjs';
import { loadInputImage } from './input-image.mjs';
import { Loras, warnOfMissingLoras } from './lora.mjs';
import { checkEncoding, saveImages } from './output-files.mjs';
import { usageText, VERSION_LINE } from './recorded.mjs';
import { imageRequest, unreplayedOption } from './request.mjs';
import { Stopped } from './stopped.mjs';
import { upscale } from './upscale.mjs';

/**
 * Behaves as the recorded sd-cli for an argument list (without the program) and resolves to the exit code, when
 * everything written has been read. Abnormal ends are signals to whatever the console belongs to: this process.
 */
export async function run(argv, environment, console = new Console()) {
  const code = await exitCodeOf(console, argv, environment);
  await console.flush();
  return code;
}

async function exitCodeOf(console, argv, environment) {
  try {
    return await answer(console, argv, environment);
  } catch (error) {
    if (error instanceof Uncaught) {
      await console.write('stderr', `terminate called after throwing an instance of '${error.exception}'\n`);
      await console.write('stderr', `  what():  ${error.what}\n`);
      await dieBy(console, 'SIGABRT');
    }
    if (error instanceof Refused) {
      for (const [source, text] of error.lines) await console.error(source, text);
      if (error.usage) await console.write('stdout', VERSION_LINE + usageText());
      return 1;
    }
    if (error instanceof Stopped) {
      if (error.refusal !== undefined) await console.refuse(error.refusal);
      return 1;
    }
    throw error;
  }
}

async function answer(console, argv, environment) {
  if (argv[0] === '--version') {
    await console.write('stdout', VERSION_LINE);
    return 0;
  }
  const values = parseArguments(argv);
  if (values.has('--help')) {
    await console.write('stdout', VERSION_LINE + usageText());
    return 0;
  }
  if (values.has('--list-devices')) {
    await console.write('stdout', 'CPU\tstand-in (computes nothing)\n');
    return 0;
  }
  if (values.has('--color')) console.useColour();
  if (values.get('--mode') === 'upscale') {
    return upscale(console, new Clock(speedFrom(environment)), values, faultsFrom(environment));
  }
  if (values.get('--mode') === 'convert') return convert(console, new Clock(speedFrom(environment)), values);
  return makeImages(console, values, environment);
}

async function makeImages(console, values, environment) {
  const mode = values.get('--mode') ?? 'img_gen';
  if (mode !== 'img_gen') throw new Stopped(`does not replay the mode ${mode}, only img_gen, upscale and convert`);
  const unreplayed = unreplayedOption(values);
  if (unreplayed !== undefined) throw new Stopped(`does not replay runs with ${unreplayed}`);
  const clock = new Clock(speedFrom(environment));
  const faults = faultsFrom(environment);
  const asked = imageRequest(values);
  checkEncoding(asked.output);
  await warnOfMissingLoras(console, asked.loras);
  await clock.spend(RECORDED_SECONDS.open);
  const request = await withInputImages(console, asked);
  const network = await openContext(console, clock, request);
  const quantised = network.all.some(({ type }) => type.startsWith('q'));
  const loras = new Loras(console, clock, request.loras, quantised);
  const size = await new Generation({ console, clock, request, network, loras, faults }).run();
  await clock.spend(RECORDED_SECONDS.save);
  return saveImages(console, request, size, faults);
}

/** Reads the init image and the mask; without a size in the request, the init image's size is taken. */
async function withInputImages(console, request) {
  if (request.initImage === undefined) return request;
  const sized = request.width !== undefined || request.height !== undefined;
  const target = { width: request.width ?? 512, height: request.height ?? 512 };
  const image = await loadInputImage(console, request.initImage, 'main.cpp:749', sized ? target : undefined);
  if (image === undefined) throw new Stopped();
  const fitted = sized ? request : { ...request, width: image.width, height: image.height };
  if (!sized) await console.info('common.cpp:2205', `set width x height to ${image.width} x ${image.height}`);
  if (request.mask === undefined) return fitted;
  const maskTarget = { width: fitted.width ?? 512, height: fitted.height ?? 512 };
  if ((await loadInputImage(console, request.mask, 'main.cpp:829', maskTarget)) === undefined) throw new Stopped();
  return fitted;
}

// `npm start`: tries the product out on the sample models.

import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runSamples, StepError } from './sample-run.mjs';
import { ensureBuild, ensureDependencies, runMain, SetupError } from './setup.mjs';

const USAGE = `usage: npm start -- --headless [--engine stand-in|PATH] [--home DIR] [--prompt TEXT]

  --headless      pulls and verifies the sample models and makes an image, all on the command line
  --engine WHAT   sd-cli to use: its path, or "stand-in" for a program that only draws test pictures
                  (default: the one that the product finds)
  --home DIR      cache root (default: ${defaultHome()})
  --prompt TEXT   what the image shows`;

const STAND_IN = fileURLToPath(new URL('../test/support/stand-in/sd-cli.mjs', import.meta.url));

/** A folder of its own in the platform's data folder, so that a user's models are left alone. */
function defaultHome() {
  const name = 'diffusion-dock-sample';
  if (process.platform === 'win32') {
    return path.join(process.env.LOCALAPPDATA ?? path.join(os.homedir(), 'AppData', 'Local'), name);
  }
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Application Support', name);
  return path.join(process.env.XDG_DATA_HOME || path.join(os.homedir(), '.local', 'share'), name);
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      headless: { type: 'boolean', default: false },
      engine: { type: 'string' },
      home: { type: 'string', default: defaultHome() },
      prompt: { type: 'string', default: 'a lighthouse at dusk' },
      help: { type: 'boolean', short: 'h', default: false }
    }
  });
  return values;
}

function enginePath(engine) {
  if (engine === undefined) return undefined;
  const file = engine === 'stand-in' ? STAND_IN : path.resolve(engine);
  if (!existsSync(file)) throw new SetupError(`there is no engine at ${file}`);
  return file;
}

/** Everything on the command line; the last line is the path of the image. */
async function startHeadless({ engine, home, prompt }) {
  const options = { home: path.resolve(home), engine: enginePath(engine), prompt };
  ensureDependencies();
  await ensureBuild();
  console.log(`home      ${options.home}`);
  try {
    const images = await runSamples({ ...options, generateWith: ['tiny-sd1'], say: console.log });
    console.log(images === 'engine-missing' ? 'no sd-cli: stopped before generation' : images.at(-1));
    return 0;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    console.error(error.message);
    return 1;
  }
}

await runMain(async () => {
  const options = readArguments();
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  if (!options.headless) {
    console.error(USAGE);
    return 2;
  }
  return startHeadless(options);
});

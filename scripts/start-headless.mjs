// `npm start -- --headless`: the sample models on the command line, from pull to image.

import { runSamples, StepError } from './sample-run.mjs';
import { ensureBuild, ensureDependencies } from './setup.mjs';

/**
 * @param {{ home: string, engine?: string, prompt: string }} options `home`, `engine`: absolute paths
 * @returns {Promise<number>} exit status; the last line printed is the path of the image
 */
export async function startHeadless(options) {
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

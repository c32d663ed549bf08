// `npm run test:engine`: both sample models, and every mode, with the real sd-cli that DIFFUSION_DOCK_SD_CLI names; and
// a model that stays loaded, with the sd-server beside it.

import { mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { tryModes } from './engine-modes.mjs';
import { tryResident } from './engine-resident.mjs';
import { runSamples, StepError } from './sample-run.mjs';
import { readSampleModels } from './samples.mjs';
import { ensureBuild, ensureDependencies, runMain } from './setup.mjs';

await runMain(async () => {
  const engine = process.env.DIFFUSION_DOCK_SD_CLI;
  if (!engine) {
    console.log('DIFFUSION_DOCK_SD_CLI names no sd-cli: nothing was tested with a real engine');
    return 0;
  }
  ensureDependencies();
  await ensureBuild();
  const home = await mkdtemp(path.join(os.tmpdir(), 'diffusion-dock-engine-'));
  try {
    const generateWith = (await readSampleModels()).map(({ name }) => name);
    const run = { home, engine: path.resolve(engine), prompt: 'a lighthouse at dusk', generateWith, say: console.log };
    const images = await runSamples(run);
    if (images === 'engine-missing') throw new StepError(`${engine} was not taken for an engine`);
    if (images.length !== generateWith.length)
      throw new StepError(`${images.length} images came from ${generateWith.length} models`);
    for (const image of images) console.log(`image     ${(await stat(image)).size} bytes`);
    const tried = { home, engine: path.resolve(engine), model: generateWith[0], say: console.log };
    await tryModes({ ...tried, image: images[0] });
    await tryResident(tried);
    return 0;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    console.error(error.message);
    return 1;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});

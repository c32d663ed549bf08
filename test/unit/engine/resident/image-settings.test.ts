import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { differingSetting, readImageSettings } from '../../../../server/engine/resident/image-settings';
import { readPngFile } from '../../../../server/gallery/png/png-file';

/** What was asked for in the recording. */
const ASKED = { prompt: 'a red lighthouse', width: 64, height: 64, seed: 5, sample_params: { sample_steps: 2 } };

async function recorded() {
  const path = join(__dirname, '../../../fixtures/sd-server/job-metadata.png');
  const settings = readImageSettings((await readPngFile(path)).parameters);
  if (!settings) throw new Error('the recorded image carries its settings');
  return settings;
}

describe('the settings in an image of the real sd-server', () => {
  it('are read, with the engine and the files that made it', async () => {
    expect(await recorded()).toMatchObject({
      generator: { name: 'stable-diffusion.cpp', version: 'master-827-97d2990+', commit: '97d29908' },
      models: { model: 'te-sd1-q1_0.gguf', diffusion_model: 'unet-sd1.safetensors', taesd: 'taesd.safetensors' }
    });
  });

  it('are those that were asked for', async () => {
    expect(differingSetting(ASKED, await recorded(), 0)).toBeUndefined();
  });

  it.each([
    [{ width: 128 }, 'the width is 64 and not 128'],
    [{ seed: 6 }, 'the seed is 5 and not 6'],
    [{ prompt: 'a ship' }, 'the prompt is "a red lighthouse" and not "a ship"'],
    [{ negative_prompt: 'fog' }, 'the negative prompt is "" and not "fog"'],
    [{ sample_params: { sample_steps: 20 } }, 'the number of steps is 2 and not 20'],
    [{ sample_params: { guidance: { txt_cfg: 1 } } }, 'the guidance scale is 7 and not 1'],
    [{ sample_params: { sample_method: 'heun' } }, 'the sampling method is undefined and not "heun"']
  ])('tell what was ignored: %j', async (change, problem) => {
    expect(differingSetting({ ...ASKED, ...change }, await recorded(), 0)).toBe(problem);
  });

  it('have the next seed in each image of a batch', async () => {
    expect(differingSetting({ ...ASKED, seed: 3 }, await recorded(), 2)).toBeUndefined();
  });

  it.each([undefined, '', 'Steps: 2', 'SDCPP: {', 'SDCPP: {"width":1}'])('are missing from %j', (text) => {
    expect(readImageSettings(text)).toBeUndefined();
  });
});

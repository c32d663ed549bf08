import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Declined } from '../../../../server/engine/resident/declined';
import { serverRequest } from '../../../../server/engine/resident/server-request';
import { temporaryFolder } from '../../../support/temporary-folder';
import { failureOf } from '../failures';

describe('the arguments of a run', () => {
  it('are sorted into what a server is started with and what each request says', async () => {
    const { server, volatile, body } = await serverRequest(
      [
        ['--model', '/m/te.gguf', '--diffusion-model', '/m/unet.safetensors', '--rpc-servers', 'tower:50052'],
        ['--offload-to-cpu', '--diffusion-fa', '--threads', '3', '--lora-model-dir', '/empty'],
        ['--width', '640', '--height', '512', '--steps', '8', '--cfg-scale', '1.5', '--guidance', '3.5'],
        ['--sampling-method', 'euler', '--scheduler', 'karras', '--flow-shift', '3', '--clip-skip', '2'],
        ['--negative-prompt', 'fog', '--strength', '0.4', '--batch-count', '2', '--seed', '7', '--vae-tiling'],
        ['--hires', '--hires-scale', '1.5', '--hires-denoising-strength', '0.6', '--hires-steps', '4'],
        ['--prompt', '--steps 3', '--output', 'image.png']
      ].flat()
    );
    expect(server).toEqual([
      '--model',
      '/m/te.gguf',
      '--diffusion-model',
      '/m/unet.safetensors',
      '--rpc-servers',
      'tower:50052',
      '--offload-to-cpu',
      '--diffusion-fa'
    ]);
    expect(volatile).toEqual(['--threads', '3']);
    expect(body).toEqual({
      prompt: '--steps 3',
      negative_prompt: 'fog',
      width: 640,
      height: 512,
      seed: 7,
      batch_count: 2,
      clip_skip: 2,
      strength: 0.4,
      sample_params: {
        sample_steps: 8,
        sample_method: 'euler',
        scheduler: 'karras',
        flow_shift: 3,
        guidance: { txt_cfg: 1.5, distilled_guidance: 3.5 }
      },
      vae_tiling_params: { enabled: true },
      hires: { enabled: true, scale: 1.5, denoising_strength: 0.6, steps: 4 },
      output_format: 'png',
      embed_image_metadata: true
    });
  });

  it('carry images in the request itself', async () => {
    const folder = await temporaryFolder();
    const [first, second] = [join(folder, 'first.png'), join(folder, 'second.png')];
    await writeFile(first, 'first');
    await writeFile(second, 'second');
    const images = ['--init-img', first, '--mask', second, '--ref-image', first, '--ref-image', second];
    const { body } = await serverRequest([...images, '--control-image', second, '--prompt', '']);
    const [one, two] = ['first', 'second'].map((text) => Buffer.from(text).toString('base64'));
    expect(body).toMatchObject({ init_image: one, mask_image: two, ref_images: [one, two], control_image: two });
  });

  it('name LoRAs in a field of their own, for tags in prompts are not read by servers', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'paint.safetensors'), '');
    await writeFile(join(folder, 'ink.gguf'), '');
    const prompt = 'a ship <lora:paint:0.8> at sea <lora:ink:-1>';
    const { body, loras } = await serverRequest(['--lora-model-dir', folder, '--prompt', prompt]);
    expect(body).toMatchObject({
      prompt: 'a ship  at sea ',
      lora: [
        { path: 'paint.safetensors', multiplier: 0.8 },
        { path: 'ink.gguf', multiplier: -1 }
      ]
    });
    expect(loras).toEqual(['paint.safetensors', 'ink.gguf'].map((name) => join(folder, name)));
  });

  it('are refused when a LoRA is gone that a prompt names', async () => {
    const folder = await temporaryFolder();
    const failure = await failureOf(serverRequest(['--lora-model-dir', folder, '--prompt', '<lora:gone:1>']));
    expect(failure).toMatchObject({ code: 'bad-request', subject: 'prompt' });
  });

  it('never hold a number in quotes, which a server would ignore', async () => {
    expect(await failureOf(serverRequest(['--steps', 'ten']))).toMatchObject({ code: 'bad-request' });
  });

  it('are declined as a whole when a server has nothing like one of them', async () => {
    await expect(serverRequest(['--mode', 'upscale'])).rejects.toEqual(
      new Declined('sd-server has nothing like --mode.')
    );
  });
});

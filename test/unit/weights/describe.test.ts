import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeWeights } from '../../../server/weights/describe';
import { readHeader, readWeights } from '../../../server/weights/headers/read-weights';
import { createModelFolder } from '../../support/stand-in/testing/model-folder';
import { temporaryFolder } from '../../support/temporary-folder';
import { ggufFile } from '../../support/weights/gguf-file';
import { memorySource } from '../../support/weights/memory-source';
import { described, PUBLISHED, type Tensors } from '../../support/weights/published';

const { unet: UNET, flux: FLUX, flux2: FLUX2, qwen: QWEN, wan: WAN } = PUBLISHED;

describe('the family of a diffusion model', () => {
  it.each<[string, string | undefined, Tensors]>([
    ['sd1', undefined, UNET],
    ['sd1', 'inpaint', { ...UNET, 'input_blocks.0.0.weight': [320, 9, 3, 3] }],
    ['sd1', 'edit', { ...UNET, 'input_blocks.0.0.weight': [320, 8, 3, 3] }],
    [
      'sd1',
      undefined,
      {
        'conv_in.weight': [320, 4, 3, 3],
        'down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight': [320, 768]
      }
    ],
    ['sd2', undefined, { ...UNET, 'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight': [320, 1024] }],
    ['sdxl', undefined, { ...UNET, 'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight': [640, 2048] }],
    ['sdxl', 'refiner', { ...UNET, 'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight': [768, 1280] }],
    [
      'svd',
      undefined,
      {
        ...UNET,
        'input_blocks.8.0.time_mixer.mix_factor': [1],
        'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight': [320, 1024]
      }
    ],
    ['sd3', undefined, { 'joint_blocks.0.context_block.attn.qkv.weight': [4608, 1536] }],
    ['flux', 'schnell', FLUX],
    ['flux', 'dev', { ...FLUX, 'guidance_in.in_layer.weight': [3072, 256] }],
    ['flux', 'fill', { ...FLUX, 'img_in.weight': [3072, 384] }],
    ['flux', 'control', { ...FLUX, 'img_in.weight': [3072, 128] }],
    [
      'flux',
      'schnell',
      {
        'x_embedder.weight': [3072, 64],
        'context_embedder.weight': [3072, 4096],
        'single_transformer_blocks.0.proj_mlp.weight': [12288, 3072]
      }
    ],
    ['chroma', undefined, { ...FLUX, 'distilled_guidance_layer.in_proj.weight': [5120, 64] }],
    ['chroma-radiance', undefined, { ...FLUX, 'nerf_final_layer_conv.conv.weight': [3, 64, 3, 3] }],
    ['ovis-image', undefined, { ...FLUX, 'double_blocks.0.img_mlp.gate_proj.weight': [12288, 3072] }],
    [
      'hunyuan-video',
      undefined,
      { ...FLUX, 'txt_in.individual_token_refiner.blocks.0.adaLN_modulation.1.weight': [6144, 3072] }
    ],
    ['flux2', 'dev', FLUX2],
    ['flux2', 'klein', { ...FLUX2, 'txt_in.weight': [3072, 7680] }],
    ['flux2', 'klein', { ...FLUX2, 'txt_in.weight': [4096, 12288] }],
    ['qwen-image', undefined, QWEN],
    ['qwen-image', 'layered', { ...QWEN, 'time_text_embed.addition_t_embedding.weight': [2, 3072] }],
    ['z-image', undefined, { 'cap_embedder.0.weight': [2560], 'cap_embedder.1.weight': [3840, 2560] }],
    ['lumina2', undefined, { 'cap_embedder.0.weight': [2304], 'cap_embedder.1.weight': [2304, 2304] }],
    ['wan', 'text-to-video', WAN],
    ['wan', 'image-to-video', { ...WAN, 'patch_embedding.weight': [5120, 36, 1, 2, 2] }],
    ['wan', 'image-to-video', { ...WAN, 'patch_embedding.weight': [184_320, 1, 2, 2] }],
    [
      'wan',
      'text-and-image-to-video',
      { ...WAN, 'patch_embedding.weight': [3072, 48, 1, 2, 2], 'patch_embedding.bias': [3072] }
    ],
    ['wan', 'speech-to-video', { ...WAN, 'audio_injector.injector.0.q.weight': [5120, 5120] }],
    ['krea2', undefined, { 'txtfusion.projector.weight': [12, 4] }],
    ['anima', undefined, { 'llm_adapter.blocks.0.cross_attn.q_proj.weight': [1024, 1024] }]
  ])('is %s (%s) by its tensors, alone and in a checkpoint', async (family, variant, tensors) => {
    const alone = await described(tensors);
    expect(alone).toMatchObject({ component: 'diffusion_model', family, parts: [{ isPrefixed: false }] });
    expect(alone.variant).toBe(variant);
    const prefixed = Object.fromEntries(
      Object.entries(tensors).map(([name, shape]) => [`model.diffusion_model.${name}`, shape])
    );
    expect(await described(prefixed)).toMatchObject({
      component: 'diffusion_model',
      family,
      parts: [{ isPrefixed: true }]
    });
    const checkpoint = {
      ...prefixed,
      'first_stage_model.decoder.conv_in.weight': [512, 4, 3, 3],
      'first_stage_model.decoder.conv_out.weight': [3, 128, 3, 3]
    };
    const whole = await described(checkpoint);
    expect(whole).toMatchObject({ component: 'model', family });
    expect(whole.parts.map(({ component }) => component)).toEqual(['diffusion_model', 'vae']);
    expect(whole.parts.reduce((total, { bytes }) => total + bytes, 0)).toBe(whole.bytes);
  });

  it.each<[string, Tensors]>([
    ['a UNet for another text', { ...UNET, 'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight': [320, 999] }],
    ['blocks as in Flux for another text', { ...FLUX, 'txt_in.weight': [3072, 3584] }],
    ['modulation as in Flux.2 for another text', { ...FLUX2, 'txt_in.weight': [6144, 4000] }],
    ['a caption embedder of another width', { 'cap_embedder.0.weight': [2560], 'cap_embedder.1.weight': [1000, 2560] }],
    ['blocks as in Qwen-Image with another input', { ...QWEN, 'img_in.weight': [3072, 128] }],
    ['nothing known', { weight: [1] }]
  ])('stays unknown for %s', async (_, tensors) => {
    const description = await described(tensors, { 'modelspec.architecture': 'flux-1-dev' });
    expect(description).not.toHaveProperty('family');
    expect(description).not.toHaveProperty('component');
    expect(description).toMatchObject({ parts: [], hint: 'flux-1-dev' });
  });
});

const CLIP = 'text_model.encoder.layers.0.mlp.fc1.weight';
const EMBEDDING = 'text_model.embeddings.token_embedding.weight';

describe('the component that a file is', () => {
  it.each<[string, string | undefined, Tensors]>([
    ['clip_l', undefined, { [CLIP]: [3072, 768], [EMBEDDING]: [49408, 768] }],
    ['clip_g', undefined, { [CLIP]: [5120, 1280], [EMBEDDING]: [49408, 1280] }],
    [
      'clip_h',
      undefined,
      {
        'cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight': [3072, 1024],
        'cond_stage_model.model.token_embedding.weight': [49408, 1024]
      }
    ],
    ['clip_vision', undefined, { 'vision_model.embeddings.patch_embedding.weight': [1280, 3, 14, 14] }],
    [
      't5xxl',
      undefined,
      { 'encoder.block.0.layer.0.SelfAttention.q.weight': [4096, 4096], 'shared.weight': [32128, 4096] }
    ],
    ['t5xxl', undefined, { 'enc.blk.0.attn_q.weight': [4096, 4096], 'token_embd.weight': [32128, 4096] }],
    [
      'llm',
      undefined,
      { 'model.layers.0.self_attn.q_proj.weight': [3584, 3584], 'model.embed_tokens.weight': [152_064, 3584] }
    ],
    ['llm', undefined, { 'blk.0.attn_q.weight': [4096, 2560], 'token_embd.weight': [151_936, 2560] }],
    ['llm_vision', undefined, { 'v.blk.0.attn_q.weight': [1280, 1280], 'v.patch_embd.weight': [1280, 3, 14, 14] }],
    [
      'vae',
      undefined,
      {
        'encoder.conv_in.weight': [128, 3, 3, 3],
        'decoder.conv_in.weight': [512, 16, 3, 3],
        'decoder.conv_out.weight': [3, 128, 3, 3]
      }
    ],
    [
      'vae',
      undefined,
      { 'decoder.conv1.weight': [384, 16, 3, 3, 3], 'decoder.middle.0.residual.0.gamma': [384, 1, 1, 1] }
    ],
    ['control_net', 'sd1', { ...UNET, 'input_hint_block.0.weight': [16, 3, 3, 3] }],
    [
      'lora',
      undefined,
      {
        'lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight': [16, 3072],
        'lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight': [9216, 16]
      }
    ],
    [
      'lora',
      'sdxl',
      {
        'unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight': [8, 2048],
        'unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.lora_B.weight': [640, 8]
      }
    ],
    ['embedding', 'sdxl', { clip_l: [2, 768], clip_g: [2, 1280] }],
    [
      'upscale_model',
      undefined,
      { 'model.0.weight': [64, 3, 3, 3], 'model.1.sub.0.RDB1.conv1.0.weight': [32, 64, 3, 3] }
    ],
    ['motion_module', undefined, { 'down_blocks.0.motion_modules.0.temporal_transformer.norm.weight': [320] }]
  ])('is %s of %s by its tensors', async (component, family, tensors) => {
    const description = await described(tensors);
    expect(description.component).toBe(component);
    expect(description.family).toBe(family);
  });

  it('is the language model, where its vision part is in the same file', async () => {
    const { component, parts } = await described({
      'model.layers.0.self_attn.q_proj.weight': [3584, 3584],
      'visual.blocks.0.attn.qkv.weight': [3840, 1280]
    });
    expect(component).toBe('llm');
    expect(parts.map((part) => part.component)).toEqual(['llm', 'llm_vision']);
  });

  it('is told for so many parts only as no checkpoint has; the others count as what they take', async () => {
    const encoders = Array.from({ length: 1000 }, (_, n) => [`text_encoders.a${n}.emb_params`, [1, 768]] as const);
    const { parts, parameters } = await described({ ...UNET, ...Object.fromEntries(encoders) });
    expect(parts.map((part) => part.component)).toEqual(['diffusion_model', ...Array(31).fill('embedding')]);
    expect(parameters).toBe(320 * 4 * 3 * 3 + 320 * 768 + 768_000);
  });

  it('counts quantised values as values, and bytes as they are stored', async () => {
    const { start, size } = ggufFile([
      { name: 'token_embd.weight', dtype: 'Q4_K', shape: [100, 512] },
      { name: 'blk.0.attn_q.weight', dtype: 'F16', shape: [4, 256] },
      { name: 'blk.0.attn_norm.weight', dtype: 'Q4_K', shape: [256] }
    ]);
    expect(describeWeights(await readHeader(memorySource(start, size), { pickles: 'refused' }))).toMatchObject({
      component: 'llm',
      parameters: 51_200 + 1024 + 256,
      bytes: 28_800 + 2048 + 144,
      types: [
        { dtype: 'Q4_K', tensors: 2, bytes: 28_944 },
        { dtype: 'F16', tensors: 1, bytes: 2048 }
      ]
    });
  });
});

describe('the models that the engine was recorded with', () => {
  it('are what they were made as', async () => {
    const folder = await temporaryFolder();
    createModelFolder(folder);
    const identity = async (name: string): Promise<unknown[]> => {
      const { component, family, variant } = describeWeights(
        await readWeights(join(folder, name), { pickles: 'refused' })
      );
      return [component, family, variant].filter((fact) => fact !== undefined);
    };
    const identities = Object.keys(RECORDED).map(async (name) => [name, await identity(name)] as const);
    expect(Object.fromEntries(await Promise.all(identities))).toEqual(RECORDED);
  });

  it('have the parts that they were put together from', async () => {
    const folder = await temporaryFolder();
    createModelFolder(folder);
    const header = await readWeights(join(folder, 'sd1.safetensors'), { pickles: 'refused' });
    const { parts, parameters } = describeWeights(header);
    expect(parts.map(({ component }) => component)).toEqual(['diffusion_model', 'clip_l', 'vae']);
    expect(parts.reduce((total, part) => total + part.parameters, 0)).toBe(parameters);
  });

  // As the engine printed it in runs of these files, in MiB.
  it.each([
    ['unet-sd1.safetensors', 1.96],
    ['te-sd1-q1_0.gguf', 156.83],
    ['clip_l.safetensors', 235.06],
    ['taesd.safetensors', 4.67],
    ['vae-kl.safetensors', 65.6],
    ['conv/sd1-q8_0.gguf', 226.13]
  ])('%s takes %d MiB of memory, as the engine says', async (name, mebibytes) => {
    const folder = await temporaryFolder();
    createModelFolder(folder);
    const { memoryBytes } = describeWeights(await readWeights(join(folder, name), { pickles: 'refused' }));
    expect(Math.abs(memoryBytes / 2 ** 20 / mebibytes - 1)).toBeLessThan(0.015);
  });

  it('tell nothing but their format where they are pickles', async () => {
    const folder = await temporaryFolder();
    createModelFolder(folder);
    const description = describeWeights(await readWeights(join(folder, 'sd1.ckpt'), { pickles: 'named' }));
    expect(description).toMatchObject({ format: 'torch-zip', parts: [], types: [] });
    expect(description).not.toHaveProperty('component');
  });
});

const RECORDED = {
  'unet-sd1.safetensors': ['diffusion_model', 'sd1'],
  'unet-sd1-tiny.safetensors': ['diffusion_model', 'sd1'],
  'unet-sd1-inpaint.safetensors': ['diffusion_model', 'sd1', 'inpaint'],
  'conv/unet-sd1-f16.gguf': ['diffusion_model', 'sd1'],
  'sd1.safetensors': ['model', 'sd1'],
  'sd1-novae.safetensors': ['model', 'sd1'],
  'sd1-inpaint.safetensors': ['model', 'sd1', 'inpaint'],
  'conv/sd1-q8_0.gguf': ['model', 'sd1'],
  'sdxs-q1_0.gguf': ['model', 'sd1'],
  'te-sd1-q1_0.gguf': ['clip_l'],
  'clip_l.safetensors': ['clip_l'],
  'vae-kl.safetensors': ['vae'],
  'taesd.safetensors': ['taesd'],
  'esrgan-x4.safetensors': ['upscale_model'],
  'lora/tinylora.safetensors': ['lora', 'sd1'],
  'embeddings/tinyemb.safetensors': ['embedding', 'sd1']
};

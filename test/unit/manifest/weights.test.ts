import { describe, expect, it } from 'vitest';
import { contradictionsOfWeights, type InstalledWeights } from '../../../server/manifest/rules/weights';
import { parseManifestText } from '../../../server/manifest/text/document';
import type { Component } from '../../../server/weights/components';
import type { WeightsDescription, WeightsPart } from '../../../server/weights/describe';
import type { Family } from '../../../server/weights/families';
import type { Role } from '../../../shared/roles';
import { DIGEST, sourceFile, sourceWith } from './marked';

const figures = { parameters: 100, bytes: 100, memoryBytes: 100 };

function part(component: Component, more: Partial<WeightsPart> = {}): WeightsPart {
  return { component, ...figures, isPrefixed: false, ...more };
}

/** What a file of one part is by its header. */
function only(component: Component, more: Partial<WeightsPart> = {}): WeightsDescription {
  const { family } = more;
  const parts = [part(component, more)];
  return { format: 'gguf', component, ...(family && { family }), ...figures, types: [], parts };
}

/** A whole checkpoint of these parts. */
function checkpoint(...components: Component[]): WeightsDescription {
  const parts = components.map((component) => part(component, { isPrefixed: true, bytes: 100 / components.length }));
  return { format: 'safetensors', component: 'model', family: 'flux', ...figures, types: [], parts };
}

const diffusion = (family: Family, more: Partial<WeightsPart> = {}) => only('diffusion_model', { family, ...more });

/** A file of a manifest: its role, and what is installed under its name, if anything. */
type Listed = readonly [role: string, description?: WeightsDescription];

/** The rows of a manifest that lists these files, with the role that each is at. */
function rowsOf(files: readonly Listed[], fields: Readonly<Record<string, string>> = {}): string[] {
  const entries = files.map(([role], index) =>
    sourceFile({ role: `"${role}"`, filename: `"f${index}"`, url: `"https://example.com/f${index}"`, ...fields })
  );
  const text = sourceWith({ files: `[${entries.join(',')}]` });
  const installed = new Map(
    files.flatMap(([, description], index): [string, InstalledWeights][] =>
      description ? [[`f${index}`, { sha256: DIGEST, description }]] : []
    )
  );
  return contradictionsOfWeights(parseManifestText(text), installed).map(
    ({ code, start, end, severity, message }) => `${severity} ${code} at ${text.slice(start, end)}: ${message}`
  );
}

describe('a role that the header of the installed file contradicts', () => {
  it.each<[Role, WeightsDescription, string]>([
    [
      'vae',
      only('t5xxl'),
      'The installed file is a T5-XXL text encoder, and no VAE; give it the role “t5xxl”, or list another file.'
    ],
    [
      'vae',
      only('taesd'),
      'The installed file is a tiny autoencoder (TAESD), and no VAE; give it the role “taesd”, or list another file.'
    ],
    [
      'taesd',
      only('vae'),
      'The installed file is a VAE, and no tiny autoencoder (TAESD); give it the role “vae”, or list another file.'
    ],
    [
      'clip_l',
      only('clip_h'),
      'The installed file is an OpenCLIP-H text encoder, and no CLIP-L text encoder; list another file.'
    ],
    [
      'diffusion_model',
      only('lora'),
      'The installed file is a LoRA, and no diffusion model; give it the role “lora”, or list another file.'
    ],
    [
      'lora',
      checkpoint('diffusion_model', 'vae'),
      'The installed file is a whole checkpoint, and no LoRA; give it the role “model”, or list another file.'
    ],
    [
      'model',
      diffusion('flux'),
      'The installed file is a diffusion model alone, which the engine does not recognise as a whole model; give it the role “diffusion_model”, or list another file.'
    ],
    ['model', only('vae'), 'The installed file is a VAE; give it the role “vae”, or list another file.']
  ])('is a row at %s', (role, description, message) => {
    expect(rowsOf([[role, description]])).toEqual([`warning wrong-role at "${role}": ${message}`]);
  });

  it.each<[string, Role, WeightsDescription]>([
    ['it is what the role says', 'vae', only('vae')],
    ['the noisy half of a pair', 'high_noise_diffusion_model', only('diffusion_model')],
    ['a checkpoint', 'model', { ...checkpoint('diffusion_model', 'clip_l'), family: 'sd1' }],
    [
      'a text encoder with the names of a checkpoint, which the engine takes',
      'model',
      only('clip_l', { isPrefixed: true })
    ],
    ['the part is in a checkpoint', 'vae', checkpoint('diffusion_model', 'vae')],
    ['nobody knows what the file is', 'vae', { format: 'gguf', ...figures, types: [], parts: [] }],
    ['most of the file is unknown', 'vae', { ...only('lora'), bytes: 200 }],
    ['files with the role are not recognised', 'ip_adapter', only('lora')],
    ['a pickle', 'model', { format: 'pickle', ...figures, types: [], parts: [] }]
  ])('is none where %s', (_, role, description) => {
    expect(rowsOf([[role, description]])).toEqual([]);
  });

  it('is none for a file that is not the one that the manifest asks for', () => {
    const declared = { sha256: `"${'0'.repeat(64)}"` };
    expect(rowsOf([['vae', only('lora')]], declared)).toEqual([]);
    expect(rowsOf([['vae', only('lora')]], { sha256: `"${DIGEST.toUpperCase()}"` })).toHaveLength(1);
  });

  it('is none while the text is broken', () => {
    const text = sourceWith({ files: `[${sourceFile({ role: '"vae"' })}],` });
    const installed = new Map([['a.bin', { sha256: DIGEST, description: only('lora') }]]);
    expect(contradictionsOfWeights(parseManifestText(text), installed)).toEqual([]);
  });
});

describe('a diffusion model without the files that its family needs', () => {
  it.each<[Family, readonly string[], string]>([
    [
      'flux',
      ['vae', 'clip_l'],
      'a diffusion model of Flux, which cannot make images without a file with the role “t5xxl”; add what is missing.'
    ],
    ['flux', [], 'without files with the roles “vae”, “clip_l” and “t5xxl”'],
    ['flux2', ['vae'], 'without a file with the role “llm”'],
    ['chroma', ['taesd'], 'without a file with the role “t5xxl”'],
    ['qwen-image', ['llm'], 'without a file with the role “vae”'],
    ['z-image', ['vae'], '“llm”'],
    ['wan', ['vae', 'clip_vision'], '“t5xxl”']
  ])('is a row: %s with %j', (family, others, words) => {
    const [row, ...more] = rowsOf([['diffusion_model', diffusion(family)], ...others.map((role): Listed => [role])]);
    expect(more).toEqual([]);
    expect(row).toMatch(/^warning incomplete-model at "diffusion_model": The installed file is a diffusion model of /);
    expect(row).toContain(words);
  });

  it.each<[string, readonly Listed[]]>([
    ['everything is listed', [['diffusion_model', diffusion('flux')], ['vae'], ['clip_l'], ['t5xxl']]],
    ['a tiny autoencoder stands in', [['diffusion_model', diffusion('z-image')], ['taesd'], ['llm']]],
    ['the parts are in other files', [['model', checkpoint('diffusion_model', 'vae', 'clip_l', 't5xxl')]]],
    ['a checkpoint is not known', [['diffusion_model', diffusion('flux')], ['model']]],
    ['a role is unknown', [['diffusion_model', diffusion('flux')], ['tea']]],
    ['the diffusion model is not installed', [['diffusion_model'], ['vae', only('vae')]]],
    ['the family runs without some of them', [['diffusion_model', diffusion('sd3')]]],
    ['the family is unknown', [['diffusion_model', only('diffusion_model')]]]
  ])('is none where %s', (_, files) => {
    expect(rowsOf(files)).toEqual([]);
  });
});

/** The rows of a manifest that lists a diffusion model under a name, and other files, each named by its role. */
function rowsOfNamed(diffusionModel: string, others: readonly string[]): string[] {
  const entries = [diffusionModel, ...others].map((filename, index) =>
    sourceFile({ role: `"${index === 0 ? 'diffusion_model' : filename}"`, filename: `"${filename}"` })
  );
  const text = sourceWith({ files: `[${entries.join(',')}]` });
  return contradictionsOfWeights(parseManifestText(text), new Map()).map(({ code, message }) => `${code}: ${message}`);
}

describe('a model that its file name tells the family of, and nothing of which is installed', () => {
  it.each([
    ['flux1-dev-Q4_K_S.gguf', ['vae', 'clip_l'], 'Flux', '“t5xxl”'],
    ['FLUX.2-klein-4B.gguf', ['vae'], 'Flux.2', '“llm”'],
    ['Chroma1-HD.gguf', ['t5xxl'], 'Chroma', '“vae”'],
    ['qwen_image_edit-Q8_0.gguf', ['vae'], 'Qwen-Image', '“llm”'],
    ['z_image_turbo-Q6_K.gguf', ['llm'], 'Z-Image', '“vae”'],
    ['Wan2.1-T2V-1.3B.gguf', ['vae'], 'Wan', '“t5xxl”']
  ])('says what %s with %j lacks', (filename, others, family, missing) => {
    expect(rowsOfNamed(filename, others)).toEqual([
      `incomplete-model: By its name this is a diffusion model of ${family}, which cannot make images without a file with the role ${missing}; add what is missing.`
    ]);
  });

  it.each([
    ['flux1-dev.gguf', ['vae', 'clip_l', 't5xxl']],
    ['flux2-dev.gguf', ['taesd', 'llm']],
    ['sd3.5_large-q4_0.gguf', ['clip_l']],
    ['swan-lake.gguf', []],
    ['fuzz-image.gguf', []],
    ['diffusion.gguf', ['vae']]
  ])('says nothing of %s with %j', (filename, others) => {
    expect(rowsOfNamed(filename, others)).toEqual([]);
  });

  it('believes the header of an installed file rather than its name', () => {
    const text = sourceWith({ files: `[${sourceFile({ role: '"diffusion_model"', filename: '"flux.gguf"' })}]` });
    const installed = new Map([['flux.gguf', { sha256: DIGEST, description: diffusion('sd3') }]]);
    expect(contradictionsOfWeights(parseManifestText(text), installed)).toEqual([]);
  });
});

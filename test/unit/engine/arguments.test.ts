import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseHelp } from '../../../server/engine/abilities';
import { engineArguments, type GenerationArguments } from '../../../server/engine/arguments/engine-arguments';
import { fillIn } from '../../../server/engine/arguments/fill-in';
import { askedLoras, loraPaths } from '../../../server/engine/arguments/lora-files';
import { identifyModel } from '../../../server/engine/arguments/model-identity';
import { ROLES } from '../../../shared/roles';
import { failureIn } from './failures';

const usage = readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'sd-cli', 'usage.txt'), 'utf8');
const known = parseHelp(usage.split('\n'));

/** A build that knows everything in sd-cli's help but these. */
const abilitiesBut = (...missing: string[]) => ({
  ...known,
  options: new Set([...known.options].filter((option) => !missing.includes(option)))
});

const usual: GenerationArguments = {
  files: [{ role: 'model', path: '/m/model.gguf' }],
  request: { prompt: 'a cat' },
  inputs: {},
  abilities: abilitiesBut(),
  seed: 7,
  threads: 2,
  output: 'image.png',
  loras: new Set(),
  loraFolder: '/scratch/loras'
};

const argumentsOf = (more: Partial<GenerationArguments>) => engineArguments({ ...usual, ...more }).options;

/** The value of an option, undefined when it is not given. */
function valueOf(option: string, more: Partial<GenerationArguments>): string | undefined {
  const argv = argumentsOf(more);
  const at = argv.indexOf(option);
  return at === -1 ? undefined : argv[at + 1];
}

const refusal = (more: Partial<GenerationArguments>) => failureIn(() => argumentsOf(more));

describe('the arguments of a generation', () => {
  it('are options, each with its value', () => {
    expect(argumentsOf({})).toEqual(
      [
        ['--model', '/m/model.gguf'],
        ['--lora-model-dir', '/scratch/loras'],
        ['--batch-count', '1'],
        ['--seed', '7'],
        ['--threads', '2'],
        ['--prompt', 'a cat'],
        ['--output', 'image.png']
      ].flat()
    );
  });

  it('name every file by its role', () => {
    const roles = [
      'diffusion_model',
      'high_noise_diffusion_model',
      'vae',
      'taesd',
      'clip_l',
      'clip_g',
      't5xxl',
      'llm'
    ] as const;
    const argv = argumentsOf({ files: roles.map((role) => ({ role, path: `/m/${role}` })) });
    expect(argv.slice(0, 2 * roles.length)).toEqual(
      [
        ['--diffusion-model', '/m/diffusion_model'],
        ['--high-noise-diffusion-model', '/m/high_noise_diffusion_model'],
        ['--vae', '/m/vae'],
        ['--taesd', '/m/taesd'],
        ['--clip_l', '/m/clip_l'],
        ['--clip_g', '/m/clip_g'],
        ['--t5xxl', '/m/t5xxl'],
        ['--llm', '/m/llm']
      ].flat()
    );
  });

  it.each(ROLES)('know the role %s', (role) => {
    const extra = role === 'model' ? [] : [{ role, path: '/m/extra.safetensors' }];
    expect(argumentsOf({ files: [...usual.files, ...extra] })).toContain('--model');
  });

  it('take the request over the defaults, and leave the rest to the engine', () => {
    const defaults = {
      width: 512,
      height: 512,
      steps: 20,
      cfg_scale: 7,
      sampling_method: 'euler_a',
      comment: 'ignored'
    };
    const asked = {
      prompt: 'a cat',
      steps: 4,
      cfg_scale: 0,
      negative_prompt: 'a dog',
      clip_skip: -1,
      flow_shift: 3.5
    };
    const argv = argumentsOf({ request: fillIn(asked, identifyModel(usual.files), defaults) });
    const settings = argv.slice(argv.indexOf('--width'), argv.indexOf('--batch-count'));
    expect(settings).toEqual(
      [
        ['--width', '512'],
        ['--height', '512'],
        ['--steps', '4'],
        ['--cfg-scale', '0'],
        ['--sampling-method', 'euler_a'],
        ['--negative-prompt', 'a dog'],
        ['--clip-skip', '-1'],
        ['--flow-shift', '3.5']
      ].flat()
    );
  });

  it.each(['--help', '-o /tmp/x', 'a\nb', '"; rm -rf ~', '', '%d', '灯台'])(
    'pass on the prompt %j as it is',
    (prompt) => {
      expect(valueOf('--prompt', { request: { prompt } })).toBe(prompt);
    }
  );

  it.each([
    ['prompt', { prompt: 'a\0b' }],
    ['prompt', { prompt: 'ä'.repeat(50_001) }],
    ['negative_prompt', { prompt: '', negative_prompt: 'x'.repeat(100_001) }],
    ['sampling_method', { prompt: '', sampling_method: 'a\0' }]
  ])('refuse a %s that no program can be given', (subject, request) => {
    expect(refusal({ request })).toMatchObject({ code: 'bad-request', subject });
  });

  it('take a prompt of 100,000 bytes', () => {
    expect(valueOf('--prompt', { request: { prompt: 'ä'.repeat(50_000) } })).toHaveLength(50_000);
  });

  it('need a file with the weights', () => {
    expect(refusal({ files: [{ role: 'vae', path: '/m/vae' }] }).code).toBe('bad-request');
  });

  it('refuse two files of one role, of which the engine would take the last', () => {
    const files = [...usual.files, { role: 'vae', path: '/m/a' }, { role: 'vae', path: '/m/b' }] as const;
    expect(refusal({ files }).message).toBe('Two files have the role "vae": a and b.');
  });
});

describe('images that a request names', () => {
  it('reach the engine as the copies that were prepared', () => {
    const request = { prompt: 'a cat', init_image: '/home/in.png', mask: '/home/mask.png', strength: 0.5, images: 2 };
    const inputs = { initImage: '/scratch/in.png', mask: '/scratch/mask.png' };
    const argv = argumentsOf({ request, inputs }).join(' ');
    expect(argv).toContain('--init-img /scratch/in.png --mask /scratch/mask.png --strength 0.5 --batch-count 2');
    expect(argv).not.toContain('/home');
  });

  it('are all given, each reference with an option of its own', () => {
    const request = { prompt: 'a cat', references: ['/a', '/b'] };
    const argv = argumentsOf({ request, inputs: { references: ['/s/0.png', '/s/1.png'] } });
    expect(argv.join(' ')).toContain('--ref-image /s/0.png --ref-image /s/1.png');
  });

  it('take the ControlNet only when there is a control image', () => {
    const files = [...usual.files, { role: 'control_net', path: '/m/canny.gguf' }] as const;
    expect(valueOf('--control-net', { files })).toBeUndefined();
    const request = { prompt: 'a cat', control_image: '/c.png', control_strength: 0.4 };
    const more = { files, request, inputs: { controlImage: '/s/c.png' } };
    expect(valueOf('--control-net', more)).toBe('/m/canny.gguf');
    expect(valueOf('--control-image', more)).toBe('/s/c.png');
    expect(valueOf('--control-strength', more)).toBe('0.4');
  });

  it.each([
    ['strength', { strength: 0.5 }],
    ['mask', { mask: '/m.png' }],
    ['control_strength', { control_strength: 1 }]
  ])('are missed when there is only a %s', (subject, fields) => {
    expect(refusal({ request: { prompt: '', ...fields } })).toMatchObject({ code: 'bad-request', subject });
  });

  it('are either references or an image to start from', () => {
    const request = { prompt: '', init_image: '/a', references: ['/b'] };
    expect(refusal({ request }).subject).toBe('init_image');
  });
});

describe('a build that lacks options', () => {
  const request = {
    prompt: 'a cat',
    vae_tiling: true,
    flash_attention: true,
    offload_to_cpu: true,
    hires: { scale: 2 }
  };

  it('is sent the others, and the user is told', () => {
    const { options, unsent } = engineArguments({ ...usual, request, abilities: abilitiesBut('--vae-tiling') });
    expect(options).not.toContain('--vae-tiling');
    expect(options).toEqual(expect.arrayContaining(['--diffusion-fa', '--offload-to-cpu', '--hires', '--hires-scale']));
    expect(unsent).toEqual(['This sd-cli does not know the option --vae-tiling; it was left out.']);
  });

  it('is sent everything when it knows everything', () => {
    expect(engineArguments({ ...usual, request, abilities: abilitiesBut() }).unsent).toEqual([]);
  });

  it('is no use when the result would be another', () => {
    expect(refusal({ abilities: abilitiesBut('--seed') })).toMatchObject({
      code: 'engine-unusable',
      subject: '--seed'
    });
  });
});

describe('LoRA tags', () => {
  const files = [...usual.files, { role: 'lora', path: '/m/ink.v2.safetensors' }] as const;
  const paths = loraPaths(files, ['/own/ink.v2.gguf', '/own/mine.safetensors']);
  const loras = new Set(paths.keys());

  it('reach the engine when the model has the LoRA', () => {
    const prompt = 'a cat <lora:ink.v2:0.8>, <lora:ink.v2:-1>';
    expect(valueOf('--prompt', { files, loras, request: { prompt } })).toBe(prompt);
    expect(valueOf('--lora-model-dir', { files, loras })).toBe('/scratch/loras');
  });

  it('name files of the model first, then the user’s own, each once', () => {
    const texts = ['<lora:mine:1> <lora:ink.v2:1>', '<lora:mine:-1> <lora:other:1>'];
    expect(askedLoras(texts, paths)).toEqual(['/own/mine.safetensors', '/m/ink.v2.safetensors']);
  });

  it('may name a LoRA for the noisy steps when there is a model for them', () => {
    const noisy = [...usual.files, { role: 'high_noise_diffusion_model', path: '/m/noisy' }] as const;
    const prompt = '<lora:|high_noise|mine:1>';
    expect(valueOf('--prompt', { files: noisy, loras, request: { prompt } })).toBe(prompt);
  });

  it.each([
    '<lora:/etc/passwd:1>',
    '<lora:../../secret:1>',
    '<lora:other:1>',
    '<lora:ink.v2.safetensors:1>',
    '<LORA:ink:1>',
    '<lora:ink.v2',
    '<lora:ink.v2>',
    '<lora:|high_noise|ink.v2:1>',
    '<lora:ink.v2:1> <lora:../x:1>',
    '<lora:ink.v2\n:1>'
  ])('are refused when they name anything else: %s', (prompt) => {
    expect(refusal({ files, loras, request: { prompt } })).toMatchObject({ code: 'bad-request', subject: 'prompt' });
  });

  it('are refused in the negative prompt as well', () => {
    expect(refusal({ request: { prompt: '', negative_prompt: '<lora:/x:1>' } }).subject).toBe('negative_prompt');
  });

  it.each(['<lora:ink.v2>', '<lora:ink.v2:>', '<lora:ink.v2:strong>', '<lora:mine:1> <lora:ink.v2>'])(
    'without a number are refused as such, for the engine would leave the LoRA out: %s',
    (prompt) => {
      expect(refusal({ files, loras, request: { prompt } })).toMatchObject({
        code: 'bad-request',
        message: expect.stringMatching(/^The prompt asks for a LoRA without the number that weighs it: <lora:ink\.v2/),
        nextStep: 'Write for example <lora:ink.v2:1>.'
      });
    }
  );

  it('are refused for a model without LoRAs', () => {
    const failure = refusal({ request: { prompt: '<lora:x:1>' } });
    expect(failure.nextStep).toBe('Remove the tag: there is no LoRA for this model.');
  });

  it('cannot be told apart when two LoRAs of the model have one name', () => {
    const twins = [...files, { role: 'lora', path: '/n/ink.v2.gguf' }] as const;
    expect(failureIn(() => loraPaths(twins, [])).code).toBe('bad-request');
  });
});

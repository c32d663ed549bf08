import { parseArgs } from 'node:util';
import { expect, it } from 'vitest';
import type { CommandInput } from '../../../server/cli/command';
import { REQUEST_OPTIONS, requestOf } from '../../../server/cli/options/request-options';
import { failureIn } from '../engine/failures';

/** The request of a command line in the folder /work. */
function request(...words: readonly string[]) {
  const values: Readonly<Record<string, unknown>> = parseArgs({ args: [...words], options: REQUEST_OPTIONS }).values;
  const texts = (option: string): string[] =>
    [values[option]].flat().filter((value): value is string => typeof value === 'string');
  const input: CommandInput = {
    names: [],
    texts,
    text: (option) => texts(option).at(-1),
    flag: (option) => values[option] === true
  };
  return requestOf(input, '/work');
}

it('takes every value of a request as an option, paths relative to the folder', () => {
  const words = [
    ['-p', 'a cat', '--negative-prompt', '5', '--seed', '7', '--images', '3', '--cfg-scale', '2.5', '--clip-skip=-1'],
    ['--init-image', 'in.png', '--strength', '0.5', '--mask', '/elsewhere/mask.png', '--vae-tiling'],
    ['--hires-scale', '2', '--hires-steps', '4']
  ];
  expect(request(...words.flat())).toEqual({
    prompt: 'a cat',
    negative_prompt: '5',
    seed: 7,
    images: 3,
    cfg_scale: 2.5,
    clip_skip: -1,
    init_image: '/work/in.png',
    strength: 0.5,
    mask: '/elsewhere/mask.png',
    vae_tiling: true,
    hires: { scale: 2, steps: 4 }
  });
});

it('takes several references in their order', () => {
  expect(request('-p', '', '--reference', 'b.png', '--reference', 'a.png').references).toEqual([
    '/work/b.png',
    '/work/a.png'
  ]);
});

it('takes with --set what there are options for, which win over it', () => {
  const words = ['-p', 'x', '--set', 'steps=4', '--set', 'flash_attention=true', '--set', 'hires.scale=1.5'];
  expect(request(...words, '--steps', '8')).toEqual({
    prompt: 'x',
    steps: 8,
    flash_attention: true,
    hires: { scale: 1.5 }
  });
});

it.each([
  ['strength', ['--strength', 'much']],
  ['width', ['--width', '']],
  ['vae_tiling', ['--set', 'vae_tiling=1']],
  ['hires.scale', ['--hires-steps', '2']],
  ['model_args', ['--model-args', 'a b']]
])('refuses a bad value by the name of %s', (subject, words) => {
  expect(failureIn(() => request('-p', '', ...words))).toMatchObject({ code: 'bad-request', subject });
});

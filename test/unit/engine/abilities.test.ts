import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDevices, parseHelp } from '../../../server/engine/abilities';

const USAGE = resolve(import.meta.dirname, '../../fixtures/sd-cli/usage.txt');

async function recordedHelp() {
  return parseHelp((await readFile(USAGE, 'utf8')).split('\n').filter((line) => line !== ''));
}

describe('what an engine says of itself', () => {
  it('gives every option of the recorded help by its long spelling', async () => {
    const { options } = await recordedHelp();
    expect(options.size).toBe(163);
    expect([...options]).toEqual(
      expect.arrayContaining(['--model', '--diffusion-fa', '--clip_l', '--offload-to-cpu', '--help', '--list-devices'])
    );
    expect([...options].filter((option) => !/^--[a-z0-9_-]+$/i.test(option))).toEqual([]);
  });

  it('gives the sampling methods and schedulers, from lists that go over several lines', async () => {
    const { samplingMethods, schedulers } = await recordedHelp();
    expect(samplingMethods.size).toBe(21);
    expect([...samplingMethods]).toEqual(expect.arrayContaining(['euler', 'dpm++2mv2', 'er_sde', 'lms']));
    expect([...schedulers]).toEqual(expect.arrayContaining(['discrete', 'ltx2', 'logit_normal', 'beta']));
    expect(schedulers.size).toBe(16);
  });

  it('knows nothing of a help that looks like no other', () => {
    const { options, samplingMethods, schedulers } = parseHelp(['usage: a program', 'without options']);
    expect([options.size, samplingMethods.size, schedulers.size]).toEqual([0, 0, 0]);
  });

  it('gives the devices, and takes no other line for one', () => {
    expect(
      parseDevices(['CPU\tAMD EPYC', 'Vulkan0\tNVIDIA GeForce RTX 4090 ', 'ggml_vulkan: Found 1 devices'])
    ).toEqual([
      { name: 'CPU', description: 'AMD EPYC' },
      { name: 'Vulkan0', description: 'NVIDIA GeForce RTX 4090' }
    ]);
  });
});

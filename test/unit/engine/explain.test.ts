import { describe, expect, it } from 'vitest';
import { runFailure } from '../../../server/engine/explain';
import { RunRecord } from '../../../server/engine/run-record';
import type { Failure } from '../../../shared/failure';
import { recording, recordOf } from './recordings';

function explained(name: string, images = 1) {
  return runFailure(recordOf(name), recording(name).end, images);
}

/** What the log gets to see of a failure. */
function causeOf(failure: Failure | undefined): string {
  return failure?.cause instanceof Error ? failure.cause.message : '';
}

describe('a recorded failure is explained', () => {
  it.each([
    ['bad-model-missing', 'The file nosuch.safetensors is missing.', 'nosuch.safetensors'],
    ['bad-model-html-safetensors', 'The file html.safetensors does not hold a model.', 'html.safetensors'],
    [
      'bad-model-is-lora',
      'sd-cli does not recognise tinylora.safetensors as a model.',
      'models/lora/tinylora.safetensors'
    ],
    ['bad-diffusion-only', 'sd-cli does not recognise these files as a model.', undefined],
    ['bad-diffusion-cut-data-gguf', 'The file cut-data.gguf is cut off.', 'cut-data.gguf'],
    ['bad-diffusion-cut-data-safetensors', 'A file of the model is cut off.', undefined],
    ['bad-vae-missing', 'The file nosuch.safetensors is missing.', 'nosuch.safetensors'],
    ['bad-no-vae', 'The model has no usable part "VAE".', 'VAE'],
    ['bad-backend', 'This sd-cli cannot use the device "cuda0".', 'cuda0'],
    ['bad-unknown-arg', 'This sd-cli does not know the option --nosuchflag.', '--nosuchflag'],
    ['bad-sampler', 'This sd-cli does not know the sampling method "nosuch".', 'nosuch'],
    ['bad-outdir-uncreatable', 'The folder for the image cannot be made: Permission denied.', 'ro/sub'],
    ['bad-outdir-unwritable', 'sd-cli ended without saving an image.', undefined],
    ['bad-init-random', 'The image in.png cannot be read.', 'in.png'],
    ['init-gray', 'The input image is greyscale.', undefined],
    ['model-load-ulimit', 'There is not enough memory for this image with this model.', undefined],
    ['size-4096-ulimit', 'There is not enough memory for this image with this model.', undefined],
    ['size-100000-ulimit', 'There is not enough memory for this image with this model.', undefined],
    ['bad-int', 'sd-cli crashed (SIGABRT).', undefined],
    ['kill-sigkill', 'sd-cli was killed by the system, which happens when memory runs out.', undefined]
  ])('%s', (name, sentence, subject) => {
    const failure = explained(name);
    expect(failure).toMatchObject({ code: 'engine-failed', message: sentence, subject });
    expect(failure?.nextStep).toMatch(/^[A-Z].*\.$/);
    const lines = causeOf(failure).split('\n');
    expect(lines.length).toBeLessThanOrEqual(21);
    expect(lines[0]).toMatch(/^sd-cli('s last lines:| printed nothing)$/);
  });

  it('when sd-cli ends with 0 after saving a part of a batch', () => {
    expect(explained('batch3-partial-unwritable', 3)?.message).toBe('sd-cli saved only 2 of 3 images.');
  });

  it('when sd-cli saved fewer images than were asked for', () => {
    expect(explained('txt2img-split-vae', 2)?.message).toBe('sd-cli saved only 1 of 2 images.');
  });

  it('when sd-cli counts an image that it could not write', () => {
    const record = new RunRecord();
    record.observe({ type: 'saved', index: 0, path: 'image.png', succeeded: false });
    record.observe({ type: 'summary', saved: 1, images: 1 });
    expect(runFailure(record, { code: 0, signal: null }, 1)?.message).toBe('sd-cli did not save every image.');
  });

  it('when sd-cli ends with 0 and says nothing', () => {
    const failure = runFailure(new RunRecord(), { code: 0, signal: null }, 1);
    expect(failure?.message).toBe('sd-cli ended without saving an image.');
    expect(causeOf(failure)).toBe('sd-cli printed nothing');
  });
});

describe('a recorded success', () => {
  it.each([
    ['txt2img-split-vae', []],
    ['size-65x65', ['The size was rounded up from 65 × 65 to 128 × 128.']],
    ['lora-missing', ['The LoRA nosuch was not found and had no effect.']],
    ['bad-lora-file', ['The LoRA x.safetensors could not be read and had no effect.']],
    ['lora-partial', ['The LoRA strayname.safetensors fits this model only in part: 18 of 21 tensors were applied.']],
    ['bad-taesd-missing-but-vae', ['The tae in nosuch.safetensors could not be loaded; it had no effect.']],
    ['bad-upscale-model-missing', ['The model for enlarging could not be loaded; the image has its normal size.']],
    [
      'inpaint-model-txt2img',
      ['This model is made for filling masked parts of an image; it was used without an image.']
    ]
  ])('%s has these warnings', (name, warnings) => {
    expect(explained(name)).toBeUndefined();
    expect(recordOf(name).warnings).toEqual(warnings);
  });
});

describe('what is remembered of a run', () => {
  it('stays small', () => {
    const record = new RunRecord();
    for (let count = 0; count < 5_000; count += 1) {
      record.observe({ type: 'text', text: 'x'.repeat(4096) });
      record.observe({ type: 'log', level: 'warning', text: `can not found lora ${count}` });
    }
    expect(record.lastLines).toHaveLength(20);
    expect(Math.max(...record.lastLines.map(({ length }) => length))).toBe(500);
    expect(record.warnings).toHaveLength(20);
  });
});

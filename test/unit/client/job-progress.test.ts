import { describe, expect, it } from 'vitest';
import { batchProgress, generationProgress, pullProgress, verifyProgress } from '../../../client/models/job-progress';

const PROGRESS = {
  type: 'file_progress',
  model: 'm',
  filename: 'f',
  receivedBytes: 1,
  fileBytes: 2,
  totalReceivedBytes: 5_000_000,
  totalBytes: 20_000_000,
  bytesPerSecond: 3_100_000,
  secondsLeft: 5
} as const;

describe('the progress of a pull', () => {
  it('tells percentage, rate and the time that is left', () => {
    expect(pullProgress(PROGRESS)).toEqual({
      fraction: 0.25,
      brief: '25 % · 3.1 MB/s',
      detail: '5.0 MB of 20.0 MB, 3.1 MB/s, 5 s left'
    });
  });

  it('tells the bytes when nobody knows how many there are', () => {
    const unknown = { ...PROGRESS, totalBytes: null, bytesPerSecond: null, secondsLeft: null };
    expect(pullProgress(unknown)).toEqual({ brief: '5.0 MB', detail: '5.0 MB' });
  });

  it('says that it stands still, and how far it is', () => {
    const paused = { type: 'paused', model: 'm', totalReceivedBytes: 8_400_000, totalBytes: 20_000_000 } as const;
    expect(pullProgress(paused)).toEqual({
      fraction: 0.42,
      isPaused: true,
      brief: 'paused · 42 %',
      detail: 'paused, 8.4 MB of 20.0 MB'
    });
    expect(pullProgress({ ...paused, totalBytes: null })).toMatchObject({ brief: 'paused · 8.4 MB' });
  });

  it('leaves the last percentage when a file is completed', () => {
    const completed = {
      type: 'file_completed',
      model: 'm',
      filename: 'f',
      index: 1,
      files: 1,
      bytes: 2,
      transferredBytes: 0,
      origin: 'stored'
    } as const;
    expect(pullProgress(completed)).toBeUndefined();
  });
});

describe('a pull that has to wait', () => {
  it('says how long, and for whom', () => {
    const waiting = { type: 'waiting', model: 'm', host: 'huggingface.co', seconds: 40 } as const;
    expect(pullProgress(waiting)).toEqual({ brief: 'waiting 40 s', detail: 'waiting 40 s for huggingface.co' });
  });
});

describe('the progress of other jobs', () => {
  it('counts hashed bytes', () => {
    const progress = verifyProgress({ model: 'm', hashedBytes: 1_000_000, totalBytes: 4_000_000 });
    expect(progress).toEqual({ fraction: 0.25, brief: 'verifying 25 %', detail: '1.0 MB of 4.0 MB' });
  });

  it('counts sampling steps and names the other phases', () => {
    const place = { model: 'm', image: 1, images: 1 };
    expect(generationProgress({ ...place, phase: 'sampling', step: 2, steps: 4 })).toMatchObject({ brief: 'step 2/4' });
    expect(generationProgress({ ...place, phase: 'decoding' })).toMatchObject({ brief: 'decoding the image' });
  });
});

describe('the progress of a batch', () => {
  const progress = { job: 'lights', file: '/work/lights.json', item: 4, items: 10, done: 2, failed: 1 } as const;

  it('counts items, and the one under way as far as it is done', () => {
    const generation = {
      model: 'm',
      phase: 'sampling',
      step: 5,
      steps: 10,
      image: 1,
      images: 1,
      fraction: 0.5
    } as const;
    expect(batchProgress({ ...progress, generation })).toEqual({
      fraction: 0.35,
      brief: '4 of 10 · step 5/10',
      detail: 'image 4 of 10, step 5 of 10'
    });
  });

  it('counts items between two images', () => {
    expect(batchProgress(progress)).toEqual({ fraction: 0.3, brief: '4 of 10', detail: 'image 4 of 10' });
  });
});

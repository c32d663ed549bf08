import { describe, expect, it } from 'vitest';
import { publishProgress } from '../../../client/models/job-progress';
import { publishedText } from '../../../client/stores/published-text';

const RESULT = {
  model: 'tiny',
  store: 's3://bucket/models',
  combined: 'ab'.repeat(32),
  bytes: 20_000_000,
  uploadedBytes: 20_000_000,
  copiedBytes: 0,
  isUnchanged: false
} as const;

describe('what a publishing came to', () => {
  it('is told with its size', () => {
    expect(publishedText('team', RESULT)).toBe('tiny is published to team (20.0 MB).');
  });

  it('is told with what went over the network and what the store had', () => {
    expect(publishedText('team', { ...RESULT, uploadedBytes: 5_000_000, copiedBytes: 15_000_000 })).toBe(
      'tiny is published to team (5.0 MB uploaded, 15.0 MB were there already).'
    );
  });

  it('is told when there was nothing to do', () => {
    expect(publishedText('team', { ...RESULT, uploadedBytes: 0, isUnchanged: true })).toBe(
      'team has this content of tiny already; nothing was to be done.'
    );
  });
});

describe('the progress of a publishing', () => {
  const progress = { model: 'tiny', store: 'team', bytes: 5_000_000, total: 20_000_000 } as const;

  it('tells what is done, and how much of it', () => {
    expect(publishProgress({ ...progress, phase: 'uploading' })).toEqual({
      fraction: 0.25,
      brief: 'uploading 25 %',
      detail: 'uploading 5.0 MB of 20.0 MB'
    });
  });

  it('says when all is there and only the publication is to be made', () => {
    expect(publishProgress({ ...progress, phase: 'committing' }).brief).toBe('completing');
  });
});

import { describe, expect, it } from 'vitest';
import { installProgress } from '../../../client/models/job-progress';

describe('the installation of an engine shows', () => {
  it('how much of the archive is here', () => {
    const fetching = { phase: 'fetching', archive: 'build.zip', receivedBytes: 5_000_000 } as const;
    expect(installProgress({ ...fetching, totalBytes: 20_000_000 })).toEqual({
      fraction: 0.25,
      brief: '25 %',
      detail: '5.0 MB of 20.0 MB'
    });
    expect(installProgress({ ...fetching, totalBytes: null })).toEqual({ brief: '5.0 MB', detail: '5.0 MB' });
  });

  it('what is done with it afterwards', () => {
    expect(installProgress({ phase: 'unpacking', archive: 'build.zip' }).detail).toBe('unpacking build.zip');
    expect(installProgress({ phase: 'checking', archive: 'build.zip' }).brief).toBe('checking');
  });
});

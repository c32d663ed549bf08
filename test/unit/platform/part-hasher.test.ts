import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPartHasher } from '../../../server/platform/part-hasher';
import { workerPool } from '../../support/built-worker';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';

const CONTENT = sampleBytes(3_000_000);

async function sampleFile(): Promise<string> {
  const path = join(await temporaryFolder(), 'file');
  await writeFile(path, CONTENT);
  return path;
}

describe('hashing parts of a file', () => {
  it('gives the digest of each part, and none for a part that the file does not hold to its end', async () => {
    const amounts: number[] = [];
    const parts = [
      { start: 0, end: 1 },
      { start: 5, end: 2_500_000 },
      { start: 7, end: 7 },
      { start: 2_999_999, end: 3_000_001 },
      { start: 9_000_000, end: 9_000_001 }
    ];
    const digests = await createPartHasher(workerPool()).hashParts(await sampleFile(), parts, {
      onProgress: (amount) => amounts.push(amount)
    });
    expect(digests).toEqual([
      sha256(CONTENT.subarray(0, 1)),
      sha256(CONTENT.subarray(5, 2_500_000)),
      sha256(Buffer.alloc(0)),
      null,
      null
    ]);
    expect(amounts.at(-1)).toBe(1 + 2_499_995 + 0 + 2 + 1);
  });

  it('is given up when it is cancelled, and fails when there is no file', async () => {
    const hasher = createPartHasher(workerPool());
    const part = { start: 0, end: 1 };
    await expect(hasher.hashParts(await sampleFile(), [part], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled'
    });
    await expect(hasher.hashParts('/nowhere/at/all', [part])).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

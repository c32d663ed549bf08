import { describe, expect, it } from 'vitest';
import { ChunkBuffers, GatheredBody } from '../../../server/pull/gathered-body';
import { sampleBytes } from '../../support/sample-bytes';

const KIB = 1024;
const LIMITS = { stallMs: 10_000, stallBytes: 1 };

/** A body whose sender notes whether it is held up. */
function bodyWithSender(): { body: GatheredBody; isHeldUp: () => boolean } {
  let isHeldUp = false;
  const flow = {
    pause: () => (isHeldUp = true),
    resume: () => (isHeldUp = false),
    abort: (reason: Error) => body.end(reason)
  };
  const body = new GatheredBody(flow, LIMITS, new ChunkBuffers());
  return { body, isHeldUp: () => isHeldUp };
}

/** Reads to the end. @returns copies of the chunks, and the error that came after them */
async function read(body: GatheredBody): Promise<{ chunks: Buffer[]; error: unknown }> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) chunks.push(Buffer.from(chunk));
    return { chunks, error: undefined };
  } catch (error) {
    return { chunks, error };
  }
}

describe('a body that is gathered', () => {
  it('gives every byte once and in order, in chunks of at most 512 KiB, however it arrives', async () => {
    const { body, isHeldUp } = bodyWithSender();
    const content = sampleBytes(5000 * KIB);
    const reading = read(body);
    const sizes = [1, 64 * KIB, 13, 300 * KIB, 5000, 64 * KIB - 1];
    for (let start = 0, turn = 0; start < content.length; turn += 1) {
      while (isHeldUp()) await new Promise((done) => setImmediate(done));
      const end = start + (sizes[turn % sizes.length] ?? 0);
      // The memory of what arrives is used for something else right away.
      const arriving = Buffer.from(content.subarray(start, end));
      body.add(arriving);
      arriving.fill(0);
      start = end;
    }
    body.end();
    const { chunks } = await reading;
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(512 * KIB);
    expect(Buffer.concat(chunks).equals(content)).toBe(true);
  });

  it('holds up its sender early when nobody has read yet, and lets it go on for a reader', async () => {
    const { body, isHeldUp } = bodyWithSender();
    let bytes = 0;
    for (; !isHeldUp(); bytes += 32 * KIB) body.add(Buffer.alloc(32 * KIB));
    expect(bytes).toBeLessThanOrEqual(128 * KIB);
    await body[Symbol.asyncIterator]().next();
    expect(isHeldUp()).toBe(false);
  });

  it('gives what had arrived before the error that it broke off with', async () => {
    const { body } = bodyWithSender();
    body.add(Buffer.from('arrived'));
    body.end(new Error('broken'));
    const { chunks, error } = await read(body);
    expect(chunks.map(String)).toEqual(['arrived']);
    expect(error).toMatchObject({ message: 'broken' });
  });
});

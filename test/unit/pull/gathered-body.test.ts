import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ChunkBuffers, type Gathered, GatheredBody } from '../../../server/pull/gathered-body';
import { FileFault } from '../../../server/pull/landing';
import { sampleBytes } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';

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

function bytesOf(gathered: Gathered): Uint8Array {
  if ('bytes' in gathered) return gathered.bytes;
  throw new Error(`${gathered.landed} bytes were written to a file`);
}

/** Reads to the end. @returns copies of the chunks, and the error that came after them */
async function read(body: GatheredBody): Promise<{ chunks: Buffer[]; error: unknown }> {
  const chunks: Buffer[] = [];
  try {
    for await (const gathered of body) chunks.push(Buffer.from(bytesOf(gathered)));
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
    await send(body, content, isHeldUp);
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

  it('gives every byte once, in memory or in a file, whenever its reader changes its mind', async () => {
    const content = sampleBytes(4000 * KIB);
    const path = join(await temporaryFolder(), 'landed');
    await writeFile(path, '');
    const { body, isHeldUp } = bodyWithSender();
    const sending = send(body, content, isHeldUp);
    const parts: Buffer[] = [];
    let start = 0;
    let turn = 0;
    for await (const gathered of body) {
      if ('bytes' in gathered) {
        parts.push(Buffer.from(gathered.bytes));
        start += gathered.bytes.length;
      } else {
        parts.push((await readFile(path)).subarray(start, start + gathered.landed));
        start += gathered.landed;
      }
      turn += 1;
      // Pieces of several sizes, one smaller than what is gathered already, and one that is given up.
      const pieces: Record<number, number> = { 1: 1000 * KIB, 5: 10, 7: 3 * KIB, 9: 900 * KIB };
      const piece = pieces[turn];
      if (turn === 10) body.halt();
      else if (piece !== undefined && 'bytes' in gathered) body.land({ path, start, end: start + piece });
    }
    await sending;
    expect(turn).toBeGreaterThan(10);
    expect(Buffer.concat(parts).equals(content)).toBe(true);
  });

  it.runIf(process.platform === 'linux')('ends with the fault of the file that it is written to', async () => {
    const { body } = bodyWithSender();
    body.add(Buffer.alloc(128 * KIB));
    const reading = body[Symbol.asyncIterator]();
    await reading.next();
    body.land({ path: '/dev/full', start: 0, end: 1000 * KIB });
    body.add(Buffer.alloc(200 * KIB));
    expect(await reading.next()).toEqual({ done: false, value: { landed: 0 } });
    const fault = await reading.next().catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(FileFault);
    expect(fault).toMatchObject({ cause: { code: 'ENOSPC' } });
  });
});

/** Sends a content in pieces of several sizes, as fast as it may. */
async function send(body: GatheredBody, content: Buffer, isHeldUp: () => boolean): Promise<void> {
  for (let start = 0, turn = 0; start < content.length; turn += 1) {
    while (isHeldUp()) await new Promise((done) => setImmediate(done));
    const end = start + ([1, 64 * KIB, 13, 300 * KIB, 5000, 64 * KIB - 1][turn % 6] ?? 0);
    // The memory of what arrives is used for something else right away.
    const arriving = Buffer.from(content.subarray(start, end));
    body.add(arriving);
    arriving.fill(0);
    start = end;
    await new Promise((done) => setImmediate(done));
  }
  body.end();
}

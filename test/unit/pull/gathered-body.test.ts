import { closeSync, existsSync, readdirSync, readlinkSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ChunkBuffers, type Gathered, GatheredBody } from '../../../server/pull/network/gathered-body';
import { type ByteRanges, countBytes, NO_RANGES, withRange } from '../../../server/pull/partial/byte-ranges';
import { formatJournalLine, type JournalLine, readJournal } from '../../../server/pull/partial/journal';
import { FileFault, type LandingPlace } from '../../../server/pull/partial/landing';
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
    const content = sampleBytes(8000 * KIB);
    const place = await landingPlace();
    let landed = NO_RANGES;
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
        parts.push((await readFile(place.data)).subarray(start, start + gathered.landed));
        landed = withRange(landed, { start, end: start + gathered.landed });
        start += gathered.landed;
      }
      turn += 1;
      // Pieces of several sizes, one smaller than what is gathered already, and one that is given up.
      const pieces: Record<number, number> = { 1: 1000 * KIB, 5: 10, 7: 3 * KIB, 9: 4000 * KIB };
      const piece = pieces[turn];
      if (turn === 10) body.halt();
      else if (piece !== undefined && 'bytes' in gathered) body.land({ ...place, start, end: start + piece });
    }
    await sending;
    expect(turn).toBeGreaterThan(10);
    expect(Buffer.concat(parts).equals(content)).toBe(true);
    expect(await journalledRanges(place)).toEqual(landed);
  });

  it('says in the journal what is in the file, whether or not somebody asks', async () => {
    const place = await landingPlace();
    const { body, isHeldUp } = bodyWithSender();
    body.land({ ...place, start: 0, end: 10_000 * KIB });
    for (let sent = 0; sent < 640; sent += 64) body.add(Buffer.alloc(64 * KIB));
    expect(countBytes(await journalledRanges(place))).toBeGreaterThanOrEqual(512 * KIB);
    while (!isHeldUp()) body.add(Buffer.alloc(64 * KIB));
    expect((await readFile(place.data)).length).toBeLessThanOrEqual(1024 * KIB);
  });

  it('lets a reader know of what was written although more is on its way', async () => {
    const { body } = bodyWithSender();
    body.land({ ...(await landingPlace()), start: 0, end: 10_000 * KIB });
    const reading = body[Symbol.asyncIterator]().next();
    for (let sent = 0; sent < 640; sent += 64) body.add(Buffer.alloc(64 * KIB));
    expect(await reading).toEqual({ done: false, value: { landed: 640 * KIB } });
  });

  it.runIf(process.platform === 'linux')('ends with the fault of the file that it is written to', async () => {
    const { body } = bodyWithSender();
    body.add(Buffer.alloc(128 * KIB));
    const reading = body[Symbol.asyncIterator]();
    await reading.next();
    body.land({ data: '/dev/full', journal: '/dev/null', start: 0, end: 1000 * KIB });
    body.add(Buffer.alloc(200 * KIB));
    expect(await reading.next()).toEqual({ done: false, value: { landed: 0 } });
    const fault = await reading.next().catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(FileFault);
    expect(fault).toMatchObject({ cause: { code: 'ENOSPC' } });
  });

  it.runIf(process.platform === 'linux')('ends with that fault even when all of it had arrived before', async () => {
    const { body } = bodyWithSender();
    body.land({ data: '/dev/full', journal: '/dev/null', start: 0, end: 64 * KIB });
    body.add(Buffer.alloc(64 * KIB));
    body.end();
    const reading = body[Symbol.asyncIterator]();
    expect(await reading.next()).toEqual({ done: false, value: { landed: 0 } });
    await expect(reading.next()).rejects.toThrow(FileFault);
  });

  it.skipIf(process.platform !== 'linux')(
    'of a file that cannot be closed is a fault of the file, told or not',
    async () => {
      const place = await landingPlace();
      const { body } = bodyWithSender();
      const reading = body[Symbol.asyncIterator]();
      body.land({ ...place, start: 0, end: 1000 * KIB });
      body.add(Buffer.alloc(KIB));
      closeBehindItsBack(place.data);
      body.discard();
      const { body: other } = bodyWithSender();
      const told = other[Symbol.asyncIterator]();
      other.land({ ...place, start: 0, end: KIB });
      other.add(Buffer.alloc(KIB));
      // A volume may take what is written, and say only in the end that it did not.
      const landed = told.next();
      closeBehindItsBack(place.data);
      await landed;
      await expect(told.next()).rejects.toThrow(FileFault);
      await reading.return?.(undefined);
    }
  );
});

const BOOT = 'of this boot';

/** A file that a content was begun in, and its journal. */
/** Has the next close of a file fail. */
function closeBehindItsBack(path: string): void {
  for (const handle of readdirSync('/proc/self/fd')) {
    if (existsSync(`/proc/self/fd/${handle}`) && readlinkSync(`/proc/self/fd/${handle}`) === path)
      closeSync(Number(handle));
  }
}

async function landingPlace(): Promise<LandingPlace> {
  const folder = await temporaryFolder();
  const place = { data: join(folder, 'data'), journal: join(folder, 'journal') };
  const begun: JournalLine = { type: 'begun', source: 'source', validator: null, total: null };
  await writeFile(place.data, '');
  await writeFile(place.journal, [{ type: 'boot', id: BOOT } as const, begun].map(formatJournalLine).join(''));
  return place;
}

async function journalledRanges({ journal }: LandingPlace): Promise<ByteRanges> {
  return readJournal(await readFile(journal, 'utf8'), BOOT).ranges;
}

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

import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ContentChanged, type Opening, type OpenRequest, type Source } from '../../../server/pull/source';
import { Failure } from '../../../shared/failure';
import { sampleBytes } from '../../support/sample-bytes';

/** A source over a content that a test can change. */
export interface SourceHarness {
  readonly source: Source;
  /** Puts another content in the place of the one that is there. */
  change(content: Buffer): Promise<void>;
  remove(): Promise<void>;
  /** How many answers or descriptors are open because of the source. */
  readonly held: () => Promise<number>;
  /** Whether everything is let go of when the reader hears of the end; a server hears of it a little later. */
  readonly letsGoAtOnce: boolean;
}

/** What must never be seen of a source. */
export const SECRET = 'CANARY0123456789';

/** The name of the content; it tells what a failure is about. */
export const CONTENT_NAME = 'weights.gguf';

const CONTENT = sampleBytes(300_000);
const OTHER = sampleBytes(300_000, 2);

/** More than fits into the buffers between a source and its reader. */
const LONG = sampleBytes(24_000_000, 3);

/** The promises that every kind of source keeps. */
export function sourceSuite(kind: string, makeHarness: (content: Buffer) => Promise<SourceHarness>): void {
  describe(kind, () => {
    let harness: SourceHarness;
    let source: Source;

    beforeEach(async () => {
      harness = await makeHarness(CONTENT);
      ({ source } = harness);
    });

    it('opens a content from its first byte to its last, and tells its size', async () => {
      const opening = await source.open(wanting({}));
      expect(opening).toMatchObject({ start: 0, total: CONTENT.length, endsByClosing: false });
      expect((await read(opening)).equals(CONTENT)).toBe(true);
    });

    it('opens a content in its middle', async () => {
      const opening = await source.open(wanting({ start: 123_456 }));
      expect(opening).toMatchObject({ start: 123_456, total: CONTENT.length });
      expect((await read(opening)).equals(CONTENT.subarray(123_456))).toBe(true);
    });

    it.each([
      [0, 1],
      [100_000, 200_000],
      [299_999, 300_000]
    ])('sends the bytes from %d up to %d and no more', async (start, end) => {
      const opening = await source.open(wanting({ start, end }));
      expect(opening).toMatchObject({ start, total: CONTENT.length });
      expect((await read(opening)).equals(CONTENT.subarray(start, end))).toBe(true);
    });

    it('opens a content without a byte', async () => {
      await harness.change(Buffer.alloc(0));
      const opening = await source.open(wanting({}));
      expect(opening.total).toBe(0);
      expect(await read(opening)).toHaveLength(0);
    });

    it('has the same validator as long as the content is the same, and goes on with it', async () => {
      const first = await openAndRead(source, {});
      const second = await openAndRead(source, { start: 5, validator: first.validator });
      expect(first.validator).toEqual(expect.any(String));
      expect(second).toMatchObject({ start: 5, validator: first.validator });
    });

    it('has another validator for another content of the same size, and does not go on with the old one', async () => {
      const { validator } = await openAndRead(source, {});
      await harness.change(OTHER);
      expect((await openAndRead(source, {})).validator).not.toBe(validator);
      const outcome = await openAndRead(source, { start: 5, validator }).catch((error: unknown) => error);
      // Either it says so, or it begins anew with another validator.
      if (!(outcome instanceof ContentChanged)) {
        expect(outcome).toMatchObject({ start: 0, validator: expect.not.stringMatching(validator ?? '') });
      }
    });

    it('says that the content changed when it is asked for bytes that are not there any more', async () => {
      await harness.change(CONTENT.subarray(0, 1000));
      await expect(source.open(wanting({ start: 2000 }))).rejects.toBeInstanceOf(ContentChanged);
    });

    it('tells size and, where it can, digest without sending anything', async () => {
      expect(await source.probe(new AbortController().signal)).toMatchObject({ bytes: CONTENT.length });
      expect(await harness.held()).toBe(0);
    });

    it('lets go of everything when it is cancelled in the middle of a body', async () => {
      await harness.change(LONG);
      const controller = new AbortController();
      const opening = await source.open(wanting({ signal: controller.signal }));
      const reading = (async () => {
        for await (const _ of opening.body) controller.abort();
      })();
      await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
      await expectNothingHeld(harness);
    });

    it('lets go of everything when nobody reads a body to its end', async () => {
      await harness.change(LONG);
      const opening = await source.open(wanting({}));
      for await (const _ of opening.body) break;
      await expectNothingHeld(harness);
    });

    it('fails with the name of a content that is not there', async () => {
      await harness.remove();
      const asked = [() => source.open(wanting({})), () => source.probe(new AbortController().signal)];
      for (const ask of asked) {
        const failure: unknown = await ask().catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(Failure);
        expect(failure).toMatchObject({ subject: expect.stringContaining(CONTENT_NAME) });
        expect(JSON.stringify(failure)).not.toContain(SECRET);
      }
    });

    it('is named without secrets', () => {
      expect(source.label).toContain(CONTENT_NAME);
      expect(source.label).not.toContain(SECRET);
    });
  });
}

async function expectNothingHeld({ held, letsGoAtOnce }: SourceHarness): Promise<void> {
  if (letsGoAtOnce) expect(await held()).toBe(0);
  else await vi.waitFor(async () => expect(await held()).toBe(0), { timeout: 20_000 });
}

/** A request for the whole content unless it says otherwise; what it opened ends with the test. */
function wanting(request: Partial<OpenRequest>): OpenRequest {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  return { start: 0, end: null, validator: null, signal: controller.signal, ...request };
}

async function openAndRead(source: Source, request: Partial<OpenRequest>): Promise<Opening> {
  const opening = await source.open(wanting(request));
  await read(opening);
  return opening;
}

/** A chunk is its reader's only until the next one is asked for. */
async function read({ body }: Opening): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

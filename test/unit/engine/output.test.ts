import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../../server/engine/lines';
import { type EngineEvent, EngineOutput } from '../../../server/engine/output';
import { eventsOf, recording } from './recordings';

const eventsIn = (name: string, chunkBytes?: number) => eventsOf(recording(name), chunkBytes);

function ofType<T extends EngineEvent['type']>(events: readonly EngineEvent[], type: T) {
  return events.filter((event): event is EngineEvent & { type: T } => event.type === type);
}

function stepBars(name: string) {
  return ofType(eventsIn(name), 'bar').filter(({ kind }) => kind === 'steps');
}

function steps(events: readonly EngineEvent[]): string[] {
  return ofType(events, 'bar').flatMap(({ kind, done, total }) => (kind === 'steps' ? [`${done}/${total}`] : []));
}

function linesOf(...chunks: (string | readonly number[])[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.write(typeof chunk === 'string' ? Buffer.from(chunk) : Uint8Array.from(chunk));
  splitter.end();
  return lines;
}

describe('the output of a run', () => {
  it('tells phases, steps, size, seed and success', () => {
    const events = eventsIn('txt2img-split-vae');
    expect(ofType(events, 'phase').map(({ phase }) => phase)).toEqual([
      'loading',
      'encoding',
      'sampling',
      'decoding',
      'saving'
    ]);
    expect(steps(events)).toEqual(['1/3', '2/3', '3/3']);
    expect(ofType(events, 'bar').find(({ total }) => total === 686)).toEqual({
      type: 'bar',
      kind: 'weights',
      done: 686,
      total: 686,
      part: 'diffusion-model'
    });
    expect(ofType(events, 'version')).toEqual([{ type: 'version', version: 'SD 1.x' }]);
    expect(ofType(events, 'size')).toEqual([{ type: 'size', width: 64, height: 64 }]);
    expect(ofType(events, 'image')).toEqual([{ type: 'image', image: 1, images: 1, seed: 42 }]);
    expect(ofType(events, 'saved')).toEqual([{ type: 'saved', index: 0, path: 'out.png', succeeded: true }]);
    expect(ofType(events, 'summary')).toEqual([{ type: 'summary', saved: 1, images: 1 }]);
    expect(ofType(events, 'text')).toEqual([]);
  });

  it.each(['txt2img-split-vae', 'txt2img-color', 'init-gray', 'model-load-ulimit'])(
    'is the same however %s is cut into chunks',
    (name) => {
      const whole = eventsIn(name);
      for (const chunkBytes of [1, 2, 3, 7, 100]) expect(eventsIn(name, chunkBytes)).toEqual(whole);
    }
  );

  it('is the same with colours', () => {
    const { stdout } = recording('txt2img-color');
    // oxlint-disable-next-line no-control-regex -- these are the colours
    const plain = stdout.toString().replaceAll(/\x1b\[[0-9;]*m/g, '');
    const expected = eventsOf({ stdout: Buffer.from(plain), stderr: Buffer.alloc(0) });
    expect(eventsIn('txt2img-color')).toEqual(expected);
    expect(steps(expected)).not.toEqual([]);
  });

  it('tells a step as soon as its bar is drawn, before the next one begins', () => {
    const { stdout } = recording('txt2img-split-vae');
    const events: EngineEvent[] = [];
    const output = new EngineOutput((event) => events.push(event));
    output.writeOutput(stdout.subarray(0, stdout.indexOf('it/s\x1b[K') + 7));
    expect(events.at(-1)).toMatchObject({ kind: 'steps', done: 1, total: 3 });
  });

  it('reads rates in seconds for each step either way round', () => {
    expect(stepBars('txt2img-split-vae')[0]?.secondsPerUnit).toBeCloseTo(1 / 4.2);
    expect(stepBars('txt2img-slow-steps').every(({ secondsPerUnit }) => secondsPerUnit! > 1)).toBe(true);
  });

  it('does not take tiles of the decoder for steps', () => {
    const events = eventsIn('txt2img-vae-tiling');
    expect(steps(events)).toEqual(['1/2', '2/2']);
    expect(ofType(events, 'bar').filter(({ kind }) => kind === 'tiles')).toHaveLength(1);
  });

  it('counts the steps of both passes and tells the final size', () => {
    const events = eventsIn('txt2img-hires');
    expect(steps(events)).toEqual(['1/3', '2/3', '3/3', '1/2', '2/2']);
    expect(ofType(events, 'size').at(-1)).toEqual({ type: 'size', width: 128, height: 128 });
  });

  it('goes through sampling once for each image of a batch', () => {
    const events = eventsIn('batch3-plain');
    expect(ofType(events, 'image').map(({ image, seed }) => [image, seed])).toEqual([
      [1, 42],
      [2, 43],
      [3, 44]
    ]);
    expect(steps(events)).toEqual(['1/3', '2/3', '3/3', '1/3', '2/3', '3/3', '1/3', '2/3', '3/3']);
  });

  it('takes apart a message without an end and the line that follows it', () => {
    expect(eventsIn('init-gray').map(({ type }) => type)).toEqual(['text', 'log']);
  });

  it('knows every line of the log in all recordings of runs that ended well', () => {
    for (const name of ['txt2img-hires', 'batch3-plain', 'lora-missing', 'size-65x65', 'bad-taesd-missing-but-vae']) {
      expect(ofType(eventsIn(name), 'text')).toEqual([]);
    }
  });
});

describe('lines', () => {
  it('end at \\r, \\n and erased ends of lines; empty ones are left out', () => {
    expect(linesOf('a\r\nb\rc\x1b[Kd\n\n', 'e')).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('survive any cut within a character or an escape sequence', () => {
    expect(linesOf('\x1b', '[31mred\x1b[', '0m\n', [0xe7, 0x81], [0xaf, 0x0a])).toEqual(['red', '灯']);
  });

  it('hold no control characters and no invalid text', () => {
    expect(linesOf([0xff, 0xfe, 0x07, 0x41, 0xc3, 0x28, 0x0a])).toEqual(['\ufffd\ufffdA\ufffd(']);
  });

  it('stay short however long they are', () => {
    expect(linesOf(`${'x'.repeat(1e6)}\nnext\n`).map(({ length }) => length)).toEqual([4096, 4]);
  });

  it('never hold more than a line, though it has no end', () => {
    const lengths: number[] = [];
    const splitter = new LineSplitter((line) => lengths.push(line.length));
    const chunk = Buffer.alloc(2 ** 24, 'x');
    // More in all than a string of the runtime can hold.
    for (let count = 0; count < 34; count += 1) splitter.write(chunk);
    splitter.end();
    expect(lengths).toEqual([4096]);
  }, 120_000);
});

import { describe, expect, it } from 'vitest';
import { runFailure } from '../../../server/engine/explain';
import { RunRecord } from '../../../server/engine/run-record';
import type { MemoryVerdict } from '../../../server/platform/memory-watch';
import type { Failure } from '../../../shared/failure';
import { recording, recordOf } from './recordings';

function explained(name: string, images = 1, memory: MemoryVerdict = 'enough') {
  return runFailure(recordOf(name), { ...recording(name).end, memory }, { kind: 'images', count: images });
}

const ended = { code: 0, signal: null, memory: 'enough' } as const;

/** What the log gets to see of a failure. */
function causeOf(failure: Failure | undefined): string {
  return failure?.cause instanceof Error ? failure.cause.message : '';
}

// What every recording comes to is in the golden file of outcomes.test.ts.
describe('a failure is explained', () => {
  it.each<[MemoryVerdict, string]>([
    ['ran-out', 'The system killed sd-cli because memory ran out.'],
    ['enough', 'Another program or a user killed sd-cli; memory had not run out.'],
    ['unknown', 'sd-cli was killed, which happens when memory runs out.']
  ])('by what became of the memory when sd-cli was killed: %s', (memory, sentence) => {
    expect(explained('kill-sigkill', 1, memory)?.message).toBe(sentence);
  });

  it('by its end when a signal came from outside, whatever was amiss before', () => {
    const record = recordOf('bad-taesd-missing-but-vae');
    const failure = runFailure(
      record,
      { code: null, signal: 'SIGTERM', memory: 'enough' },
      { kind: 'images', count: 1 }
    );
    expect(failure?.message).toBe('Another program ended sd-cli (SIGTERM).');
  });

  it.each<[NodeJS.Signals, RegExp]>([
    ['SIGSEGV', /crashed/],
    ['SIGABRT', /gave up by itself/],
    ['SIGILL', /instructions that the processor does not have/],
    ['SIGBUS', /could not read a part of a file/]
  ])('by its signal: %s', (signal, sentence) => {
    const failure = runFailure(new RunRecord(), { code: null, signal, memory: 'enough' }, { kind: 'images', count: 1 });
    expect(failure?.message).toMatch(sentence);
  });

  it.each([
    [0xc0000005, /access violation/],
    [0xc0000135, /library that sd-cli needs is missing/],
    [3, /exit code 3/]
  ])('by its exit code: %i', (code, sentence) => {
    const failure = runFailure(new RunRecord(), { code, signal: null, memory: 'enough' }, { kind: 'images', count: 1 });
    expect(failure?.message).toMatch(sentence);
  });

  it.each<[string, RegExp]>([
    ["terminate called after throwing an instance of 'std::bad_alloc'", /not enough memory/],
    ["terminate called after throwing an instance of 'std::invalid_argument'", /one of the numbers/],
    ['/src/ggml.c:1647: GGML_ASSERT(ctx->mem_buffer != NULL) failed', /a check of its own: ctx->mem_buffer != NULL/],
    ['./sd-cli: error while loading shared libraries: libcudart.so.12: cannot open', /libcudart\.so\.12/]
  ])('when it aborts after the line %s', (text, sentence) => {
    const record = new RunRecord();
    record.observe({ type: 'text', text });
    const failure = runFailure(
      record,
      { code: null, signal: 'SIGABRT', memory: 'enough' },
      { kind: 'images', count: 1 }
    );
    expect(failure?.message).toMatch(sentence);
  });

  it('with healing offered where a file is damaged, and not where it is not', () => {
    expect(explained('bad-diffusion-cut-data-gguf')?.remedy).toEqual({ kind: 'heal' });
    expect(explained('bad-init-random')?.remedy).toBeUndefined();
  });

  it('when sd-cli ends with 0 and says nothing', () => {
    const failure = runFailure(new RunRecord(), ended, { kind: 'images', count: 1 });
    expect(failure?.message).toBe('sd-cli ended without saving an image.');
    expect(causeOf(failure)).toBe('sd-cli printed nothing');
  });

  it('with the last lines of the engine, twenty at most', () => {
    const lines = causeOf(explained('bad-no-vae')).split('\n');
    expect(lines[0]).toBe("sd-cli's last lines:");
    expect(lines).toHaveLength(21);
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

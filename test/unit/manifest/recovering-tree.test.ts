import * as fc from 'fast-check';
import { type Node, type ParseError, parseTree } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import { recoveringReading } from '../../../server/manifest/text/recovering-tree';
import { drained } from '../../../server/platform/sliced-work';
import { Random } from '../../support/random';
import { almostJson, PARTS } from './almost-json';
import { mutated, SEEDS } from './mutated';

function expectSame(text: string): void {
  const errors: ParseError[] = [];
  const options = { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false };
  const tree = parseTree(text, errors, options);
  const { root, syntaxError } = drained(recoveringReading(text));
  expect({ root: plain(root), syntaxError }, text).toEqual({ root: plain(tree), syntaxError: errors[0] });
}

/** A tree without its ways back up, of which only the place is kept. */
function plain(node: Node | undefined): unknown {
  if (!node) return undefined;
  const { type, value, offset, length, colonOffset, parent, children } = node;
  return [type, value, offset, length, colonOffset, parent?.offset, children?.map(plain)];
}

describe('a text that is no strict JSON', () => {
  it('is read as a parser reads it that recovers from errors, and has the same first error', () => {
    const anyText = fc.oneof(
      almostJson,
      fc.array(fc.constantFrom(...PARTS), { maxLength: 12 }).map((parts) => parts.join(''))
    );
    fc.assert(fc.property(anyText, expectSame), { numRuns: 3000, seed: 20_263 });
  });

  it('is read the same when it is a manifest in which somebody types', () => {
    const random = new Random(20_261_124);
    for (let round = 0; round < 1000; round++) expectSame(mutated(random.pick(SEEDS), random));
  });

  it.each([
    ['many entries', `{ "files": [${'{ "a": [1] },'.repeat(20_000)}`],
    ['garbage without an end', 'x '.repeat(50_000)],
    ['comments', '/**/ '.repeat(50_000)],
    ['commas', `{ "files": [${','.repeat(50_000)}`],
    ['what is skipped for want of a name', `{ ${'['.repeat(50_000)} }`]
  ])('lets others have their turn again and again: %s', (_, text) => {
    const work = recoveringReading(text);
    let pauses = 0;
    while (!work.next().done) pauses++;
    expect(pauses).toBeGreaterThan(20);
  });
});

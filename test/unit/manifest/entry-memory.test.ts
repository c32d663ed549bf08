import { describe, expect, it } from 'vitest';
import { diagnose, diagnosing } from '../../../server/manifest/diagnostics';
import type { Dialect } from '../../../server/manifest/dialect';
import { type ManifestDocument, parseManifestText } from '../../../server/manifest/document';
import { EntryMemory } from '../../../server/manifest/entry-memory';
import { Random } from '../../support/random';
import { DIGEST, sourceFile, sourceWith } from './marked';
import { mutated, SEEDS } from './mutated';

/** Entries with all kinds of mistakes, twice, among other values. */
const WRONG = [
  sourceFile({ sha256: `"${DIGEST.toUpperCase()}"`, role: '"unet"' }),
  sourceFile({ sise: '3', pieces: '{ "size": 3, "sha256": [1, "x"] }', api_key: '"secret"' }),
  sourceFile({ size_bytes: '1e300', approx_bytes: '3', note: '[1, { "token": [7] }]' }),
  sourceFile({ url: '"hf:o/r/a.bin",\n"url": "http://h.example/a"', filename: '"x.ckpt"' }),
  '"text"',
  '{}'
];

const TEXTS = [...SEEDS, sourceWith({ files: `[${[...WRONG, ...WRONG].join(',\n')}]`, defaults: '{ "sampler": 1 }' })];

function findIn(document: ManifestDocument, dialect: Dialect, memory: EntryMemory) {
  const work = diagnosing(document, dialect, { reportSyntax: true }, memory);
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

describe('what is remembered of entries', () => {
  it('never changes what is found, whatever is typed', () => {
    const random = new Random(20_261_122);
    for (let round = 0; round < 150; round++) {
      const dialect = random.pick<Dialect>(['source', 'source', 'installed', 'artifact']);
      const memory = new EntryMemory();
      let text = random.pick(TEXTS);
      for (let step = 0; step < 5; step++) {
        const found = findIn(parseManifestText(text), dialect, memory);
        const fresh = diagnose(parseManifestText(text), dialect, { reportSyntax: true });
        if (JSON.stringify(found) !== JSON.stringify(fresh)) expect.fail(text);
        text = random.below(4) === 0 ? random.pick(TEXTS) : mutated(text, random);
      }
    }
  });

  it('spares whoever edits one entry a look at the others', () => {
    // A field of somebody else has an entry's names be looked at.
    const files = Array.from({ length: 1000 }, (_, index) => sourceFile({ filename: `"${index}.bin"`, $note: '1' }));
    const memory = new EntryMemory();
    let looks = 0;
    const find = (name: string) => {
      const [first, ...others] = files;
      const parsed = parseManifestText(
        sourceWith({ files: `[${[first, sourceFile({ filename: name }), ...others].join(',')}]` })
      );
      const fieldsOf: ManifestDocument['fieldsOf'] = (node) => {
        looks += 1;
        return parsed.fieldsOf(node);
      };
      return findIn({ ...parsed, fieldsOf }, 'source', memory);
    };
    find('"a.bin"');
    expect(looks).toBeGreaterThan(1000);
    looks = 0;
    expect(find('"../a.bin"').map(({ code }) => code)).toContain('unsafe-path');
    expect(looks).toBeLessThan(20);
  });
});

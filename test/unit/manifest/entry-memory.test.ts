import { describe, expect, it } from 'vitest';
import { diagnose, diagnosing } from '../../../server/manifest/diagnostics';
import type { EntryMemory } from '../../../server/manifest/entry-memory';
import type { Dialect } from '../../../server/manifest/recognition/dialect';
import { type ManifestDocument, parseManifestText, parsing } from '../../../server/manifest/text/document';
import { drained } from '../../../server/platform/sliced-work';
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
  return drained(diagnosing(document, dialect, { reportSyntax: true }, memory));
}

describe('what is remembered of entries', () => {
  it('never changes what is found, whatever is typed', () => {
    const random = new Random(20_261_122);
    for (let round = 0; round < 150; round++) {
      const dialect = random.pick<Dialect>(['source', 'source', 'installed', 'artifact']);
      const memory: EntryMemory = new WeakMap();
      let text = random.pick(TEXTS);
      let document: ManifestDocument | undefined;
      for (let step = 0; step < 5; step++) {
        document = drained(parsing(text, document));
        const found = findIn(document, dialect, memory);
        const fresh = diagnose(parseManifestText(text), dialect, { reportSyntax: true });
        if (JSON.stringify(found) !== JSON.stringify(fresh)) expect.fail(text);
        text = random.below(4) === 0 ? random.pick(TEXTS) : mutated(text, random);
      }
    }
  });

  it('spares whoever edits one entry a look at the others, even while that one is broken', () => {
    // A field of somebody else has an entry's names be looked at.
    const files = Array.from({ length: 1000 }, (_, index) => sourceFile({ filename: `"${index}.bin"`, $note: '1' }));
    const memory: EntryMemory = new WeakMap();
    let document: ManifestDocument | undefined;
    let looks = 0;
    const find = (name: string) => {
      const [first, ...others] = files;
      const entry = sourceFile({ filename: name, $note: '1' });
      const read = drained(parsing(sourceWith({ files: `[${[first, entry, ...others].join(',')}]` }), document));
      document = read;
      const fieldsOf: ManifestDocument['fieldsOf'] = (node) => {
        looks += 1;
        return read.fieldsOf(node);
      };
      return findIn({ ...read, fieldsOf }, 'source', memory);
    };
    find('"a.bin"');
    expect(looks).toBeGreaterThan(1000);
    looks = 0;
    expect(find('"../a.bin"').map(({ code }) => code)).toContain('unsafe-path');
    expect(find('"a.bin').map(({ code }) => code)).toContain('syntax');
    expect(find('"../a.bin"').map(({ code }) => code)).toContain('unsafe-path');
    expect(looks).toBeLessThan(60);
  });
});

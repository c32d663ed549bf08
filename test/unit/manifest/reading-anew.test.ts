import type { Node } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import type { ManifestDiagnostic } from '../../../server/manifest/diagnostic';
import { diagnose, diagnosing } from '../../../server/manifest/diagnostics';
import type { EntryMemory } from '../../../server/manifest/entry-memory';
import { type ManifestDocument, parseManifestText, parsing } from '../../../server/manifest/text/document';
import { drained } from '../../../server/platform/sliced-work';
import { Random } from '../../support/random';
import { DIGEST, installedWith, sourceFile, sourceWith } from './marked';
import { mutated, SEEDS } from './mutated';

const ENTRIES = Array.from({ length: 12 }, (_, index) =>
  sourceFile({
    filename: `"${index}.bin"`,
    ...(index % 3 === 0 && { pieces: `{ "size": 3, "sha256": ["${DIGEST}"] }` })
  })
);

/** Manifests with more entries than an edit touches, some of them twice, before and behind other fields. */
const TEXTS = [
  ...SEEDS,
  sourceWith({ files: `[${ENTRIES.join(',\n')}]`, note: '[{ "a": [1] }, { "b": 2 }]' }),
  sourceWith({ note: '[1, { "a": "é" }]', files: `[\r\n${[...ENTRIES, ...ENTRIES].join(' ,\r\n')}\r\n]` }),
  installedWith({})
];

function readAnew(text: string, earlier: ManifestDocument): ManifestDocument {
  return drained(parsing(text, earlier));
}

/** What somebody types: mostly a few characters near the last place, sometimes a larger change anywhere. */
function typed(text: string, random: Random, place: number): string {
  if (random.below(6) === 0) return mutated(text, random);
  const at = Math.min(text.length, place + random.below(5));
  const insertion = random.pick([
    'x',
    '"',
    '{',
    '}',
    ',',
    '[',
    ']',
    '\\',
    '7',
    ' ',
    '\n',
    '',
    '',
    '',
    '//',
    '"a": 1',
    '{},'
  ]);
  return text.slice(0, at) + insertion + text.slice(at + random.below(3));
}

describe('a text that changed is read where it changed', () => {
  it('reads, finds and says of errors the same as when all is read, whatever is typed', () => {
    const random = new Random(20_261_123);
    let broken = 0;
    for (let round = 0; round < 200; round++) {
      let text = random.pick(TEXTS);
      let document = parseManifestText(text);
      const memory: EntryMemory = new WeakMap();
      const place = random.below(text.length);
      const history = [text];
      for (let step = 0; step < 8; step++) {
        text = random.below(5) === 0 ? random.pick(history) : typed(text, random, place);
        history.push(text);
        document = readAnew(text, document);
        const fresh = parseManifestText(text);
        if (document.reusable && document.reusable.broken.size > 0) broken++;
        const options = { reportSyntax: true };
        const found = drained(diagnosing(document, 'source', options, memory));
        const same = plain(document, found) === plain(fresh, diagnose(fresh, 'source', options));
        if (!same) expect.fail(history.slice(-2).join('\n→\n'));
      }
    }
    expect(broken).toBeGreaterThan(50);
  });

  it('keeps the entries that did not change, whatever stands in the one that did', () => {
    const text = sourceWith({ files: `[${ENTRIES.join(',')}]` });
    let document = parseManifestText(text);
    const kept = entriesOf(document).filter((_, index) => index !== 5);
    for (const name of ['"5.bi', '"5.bin", ', '"5.bin"', '"a much longer name"', '', '"5.bin"']) {
      document = readAnew(text.replace('"5.bin"', name), document);
      expect(entriesOf(document).filter((_, index) => index !== 5)).toEqual(kept);
      for (const [index, entry] of kept.entries()) {
        expect(entriesOf(document)[index < 5 ? index : index + 1]).toBe(entry);
      }
    }
  });

  it('goes back to what was kept before all was broken', () => {
    const text = sourceWith({ files: `[${ENTRIES.join(',')}]` });
    const before = parseManifestText(text);
    const [first] = entriesOf(before);
    const broken = readAnew(text.replace('"files"', '"files'), before);
    expect(broken.syntaxError).toBeDefined();
    expect(entriesOf(readAnew(text, broken))[0]).toBe(first);
  });

  it.each([
    ['sound', '"a much longer name"'],
    ['broken', '"a much longer name']
  ])('leaves the version before as it was when nobody waits for a %s one', (_, name) => {
    const text = sourceWith({ files: `[${Array.from({ length: 600 }, () => ENTRIES[5]).join(',')}]` });
    const changed = text.replace('"5.bin"', name);
    const before = parseManifestText(text);
    const asItWas = plain(before, []);
    let pauses = 0;
    for (const work = parsing(changed, before); !work.next().done; pauses++) {
      if (plain(before, []) !== asItWas) expect.fail(`changed at pause ${pauses}`);
    }
    expect(pauses).toBeGreaterThan(1);
    expect(plain(before, [])).not.toBe(asItWas);
  });

  it('counts what it keeps towards the limits', () => {
    const most = `{ "files": [{ "a": [${'1,'.repeat(299_993)}1] }], "b": [1] }`;
    const document = parseManifestText(most);
    expect(document.limit).toBeUndefined();
    expect(readAnew(most.replace('[1] }', '[1, 1] }'), document).limit?.code).toBe('too-large');
  });
});

function entriesOf(document: ManifestDocument): readonly Node[] {
  return document.nodeAt(['files'])?.children ?? [];
}

function plain({ root, limit, syntaxError }: ManifestDocument, found: readonly ManifestDiagnostic[]): string {
  return JSON.stringify([root && flat(root), limit, syntaxError, found]);
}

/** A node and those in it; of the one above only the place. */
function flat({ type, value, offset, length, colonOffset, parent, children }: Node): unknown {
  return [type, value, offset, length, colonOffset, parent?.offset, children?.map(flat)];
}

import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ByteRanges } from '../../../server/pull/partial/byte-ranges';
import { withRange } from '../../../server/pull/partial/byte-ranges';
import { formatJournalLine, type JournalLine } from '../../../server/pull/partial/journal';
import { leavePartial } from '../../support/left-partial';
import { memoryFolder } from '../../support/memory-folder';
import { Random } from '../../support/random';
import { rangeSite } from '../../support/range-site';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

/** How often each damage is done. */
const ROUNDS = 3;
const BYTES = 50_000;

type Lines = readonly string[];

/** What bad disks, other versions of the product and people do to the text of a journal. */
const DAMAGES: Readonly<Record<string, (lines: Lines, random: Random) => Lines | string>> = {
  none: (lines) => lines,
  'cut off': (lines, random) => {
    const text = lines.join('');
    return text.slice(0, random.below(text.length + 1));
  },
  'a flipped bit': (lines, random) => {
    const bytes = Buffer.from(lines.join(''));
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    return bytes.toString('latin1');
  },
  'a block of zeros': (lines, random) => {
    const bytes = Buffer.from(lines.join(''));
    return bytes.fill(0, random.below(bytes.length)).toString('latin1');
  },
  'a repeated line': (lines, random) => lines.toSpliced(random.below(lines.length), 0, random.pick(lines)),
  'lines in another order': (lines, random) => lines.toSorted(() => random.next() - 0.5),
  'a line of another version': (lines, random) =>
    lines.toSpliced(random.below(lines.length), 0, signed('{"type":"later"}')),
  'a huge number': (lines, random) =>
    lines.toSpliced(
      random.below(lines.length + 1),
      0,
      signed(`{"type":"written","start":0,"end":1e${random.below(400)}}`)
    ),
  'a negative range': (lines) => [...lines, signed('{"type":"written","start":-5,"end":-1}')],
  'a range the wrong way round': (lines) => [...lines, signed('{"type":"written","start":900,"end":5}')],
  'more than the content has': (lines) => [...lines, written(0, BYTES + 1)],
  nothing: () => '',
  'another text': (_, random) => sampleBytes(random.below(2000), random.below(99)).toString('latin1')
};

/** Journals whose lines are whole but not true: only a declared digest tells. */
const LIES: typeof DAMAGES = {
  'all of it': (lines) => [...lines, written(0, BYTES)],
  'some of it': (lines, random) => {
    const start = random.below(BYTES);
    return [...lines, written(start, start + random.below(BYTES - start))];
  }
};

function signed(text: string): string {
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`;
}

function written(start: number, end: number): string {
  return formatJournalLine({ type: 'written', start, end } satisfies JournalLine);
}

function someRanges(random: Random): ByteRanges {
  let ranges: ByteRanges = [];
  for (let count = 1 + random.below(4); count > 0; count -= 1) {
    const start = random.below(BYTES);
    ranges = withRange(ranges, { start, end: start + 1 + random.below(BYTES - start) });
  }
  return ranges;
}

describe.each([
  ['with a declared digest', true, { ...DAMAGES, ...LIES }],
  ['without one', false, DAMAGES]
])('whatever happens to a journal, %s', (_, isDeclared, damages) => {
  it('a pull gives the right bytes', { timeout: 120_000 }, async () => {
    const site = await rangeSite();
    const services = await testServices({ root: await memoryFolder() });
    const kinds = Object.keys(damages);
    for (let round = 0; round < ROUNDS * kinds.length; round += 1) {
      const random = new Random(round);
      const content = sampleBytes(BYTES, round + 1);
      const url = `${site.origin}/${round}`;
      const digest = isDeclared ? { sha256: sha256(content) } : {};
      site.contents.set(`/${round}`, content);
      const of = digest.sha256 ?? url;
      const folder = await leavePartial(services.layout, { of, source: url, content, ranges: someRanges(random) });
      const kind = kinds[round % kinds.length] ?? 'none';
      const lines = (await readFile(join(folder, 'journal'), 'utf8')).trimEnd().split('\n');
      const damaged =
        damages[kind]?.(
          lines.map((line) => `${line}\n`),
          random
        ) ?? [];
      await writeFile(join(folder, 'journal'), [damaged].flat().join(''), 'latin1');
      if (random.below(5) === 0) await truncate(join(folder, 'data'), random.below(BYTES));
      if (random.below(20) === 0) await rm(join(folder, 'data'));
      const manifest = await writeManifest([{ url, ...digest }], { name: `model-${round}` });
      const { folder: bundle } = await pullManifest(services, manifest);
      const installed = sha256(await readFile(join(bundle, 'weights.gguf')));
      expect({ round, kind, installed }).toEqual({ round, kind, installed: sha256(content) });
    }
  });
});

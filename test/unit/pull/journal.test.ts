import { describe, expect, it } from 'vitest';
import { formatJournalLine, type JournalLine, readJournal, syncedLine } from '../../../server/pull/partial/journal';

const begun: JournalLine = { type: 'begun', source: 'https://example.com/a', validator: '"v1"', total: 100 };
const boot: JournalLine = { type: 'boot', id: 'b1' };

function written(start: number, end: number): JournalLine {
  return { type: 'written', start, end };
}

function journal(...lines: readonly JournalLine[]): string {
  return lines.map(formatJournalLine).join('');
}

describe('the journal of a partial', () => {
  it('counts every written byte in the boot that wrote it', () => {
    const text = journal(
      boot,
      begun,
      written(0, 10),
      syncedLine([{ start: 0, end: 10 }]),
      written(50, 60),
      written(10, 30)
    );
    expect(readJournal(text, 'b1')).toEqual({
      content: { source: 'https://example.com/a', validator: '"v1"', total: 100 },
      ranges: [
        { start: 0, end: 30 },
        { start: 50, end: 60 }
      ]
    });
  });

  it('counts only synced bytes after another boot, for a power cut may have lost the rest', () => {
    const text = journal(boot, begun, written(0, 20), syncedLine([{ start: 0, end: 10 }]), written(20, 30));
    expect(readJournal(text, 'b2').ranges).toEqual([{ start: 0, end: 10 }]);
  });

  it('forgets unsynced bytes of an earlier boot although a later boot wrote on', () => {
    const text = journal(boot, begun, written(0, 30), { type: 'boot', id: 'b2' }, written(40, 50));
    expect(readJournal(text, 'b2').ranges).toEqual([{ start: 40, end: 50 }]);
  });

  it('starts over when a content was begun anew', () => {
    expect(readJournal(journal(boot, begun, written(0, 30), begun), 'b1').ranges).toEqual([]);
  });

  it('ignores a torn last line', () => {
    const text = journal(boot, begun, written(0, 30));
    const last = journal(written(30, 99));
    for (let length = 0; length < last.length; length += 1) {
      expect(readJournal(text + last.slice(0, length), 'b1').ranges).toEqual([{ start: 0, end: 30 }]);
    }
  });

  it('relies on no line in which a bit was flipped', () => {
    const text = journal(boot, begun);
    const line = journal(written(0, 30));
    for (let at = 0; at < line.length * 8; at += 1) {
      const bytes = Buffer.from(line);
      bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));
      expect(readJournal(text + bytes.toString('latin1'), 'b1').ranges).toEqual([]);
    }
  });

  it('relies on nothing behind a line that makes no sense', () => {
    const text = `${journal(boot, begun, written(0, 30))}garbage\n${journal(written(30, 90))}`;
    expect(readJournal(text, 'b1').ranges).toEqual([{ start: 0, end: 30 }]);
    expect(readJournal('garbage\n', 'b1')).toEqual({ content: null, ranges: [] });
  });
});

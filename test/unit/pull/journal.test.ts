import { describe, expect, it } from 'vitest';
import { formatJournalLine, type JournalLine, readJournal } from '../../../server/pull/journal';

const begun: JournalLine = { type: 'begun', source: 'https://example.com/a', validator: '"v1"', total: 100 };

function journal(...lines: readonly JournalLine[]): string {
  return lines.map(formatJournalLine).join('');
}

describe('the journal of a partial', () => {
  it('counts every written byte in the boot that wrote it', () => {
    const text = journal(
      { type: 'boot', id: 'b1' },
      begun,
      { type: 'synced', bytes: 10 },
      { type: 'written', bytes: 30 }
    );
    expect(readJournal(text, 'b1')).toEqual({
      content: { source: 'https://example.com/a', validator: '"v1"', total: 100 },
      bytes: 30
    });
  });

  it('counts only synced bytes after another boot, for a power cut may have lost the rest', () => {
    const text = journal(
      { type: 'boot', id: 'b1' },
      begun,
      { type: 'written', bytes: 20 },
      { type: 'synced', bytes: 10 },
      { type: 'written', bytes: 30 }
    );
    expect(readJournal(text, 'b2').bytes).toBe(10);
  });

  it('forgets unsynced bytes of an earlier boot although a later boot wrote on', () => {
    const text = journal({ type: 'boot', id: 'b1' }, begun, { type: 'written', bytes: 30 }, { type: 'boot', id: 'b2' });
    expect(readJournal(text, 'b2').bytes).toBe(0);
  });

  it('starts over when a content was begun anew', () => {
    const text = journal({ type: 'boot', id: 'b1' }, begun, { type: 'written', bytes: 30 }, begun);
    expect(readJournal(text, 'b1').bytes).toBe(0);
  });

  it('ignores a torn last line', () => {
    const text = journal({ type: 'boot', id: 'b1' }, begun, { type: 'written', bytes: 30 });
    expect(readJournal(`${text}{"type":"written","byt`, 'b1').bytes).toBe(30);
    expect(readJournal(`${text}{"type":"written","bytes":99}`, 'b1').bytes).toBe(30);
  });

  it('relies on nothing behind a line that makes no sense', () => {
    const text = `${journal({ type: 'boot', id: 'b1' }, begun, { type: 'written', bytes: 30 })}garbage\n`;
    expect(readJournal(text + journal({ type: 'written', bytes: 90 }), 'b1').bytes).toBe(30);
    expect(readJournal('garbage\n', 'b1')).toEqual({ content: null, bytes: 0 });
  });
});

import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quotedFor } from '../../../shared/shell-quoting';

const AWKWARD = [
  [
    '',
    ' ',
    "'",
    '"',
    '\\',
    '\\"',
    "\\'",
    '\\\\',
    'a\\',
    '$HOME',
    '`id`',
    '$(id)',
    '!',
    '!!',
    '%PATH%',
    '^',
    '&',
    '|',
    ';'
  ],
  [
    '<',
    '>',
    '*',
    '?',
    '[a]',
    '{a,b}',
    '~',
    '~root',
    '#',
    '=',
    '=ls',
    '-',
    '--',
    '--help',
    '-x:y',
    '@args',
    '1kb',
    '1e3'
  ],
  [
    '\n',
    'two\nlines',
    '\t',
    '\u2019',
    '\u201c',
    '\u00e9 \u{1f5fc}',
    'a b',
    'C:\\models\\a b\\',
    '\\\\server\\share\\',
    '(x:1.2)',
    '<lora:a:1>'
  ]
].flat();

const word = fc.oneof(
  fc.constantFrom(...AWKWARD),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.constantFrom(...AWKWARD)).map((parts) => parts.join(''))
);
const withoutNul = word.filter((text) => !text.includes('\0'));

describe('words that are quoted', () => {
  it.skipIf(process.platform === 'win32')('reach a program through sh as they are', () => {
    const lists = fc.array(withoutNul, { minLength: 20, maxLength: 60 });
    fc.assert(
      fc.property(lists, (words) => {
        const out = execFileSync('sh', ['-c', `printf '%s\\0' ${quotedFor('posix', ['x', ...words])}`]);
        expect(out.toString().split('\0').slice(1, -1)).toEqual(words.map((text) => Buffer.from(text).toString()));
      }),
      { numRuns: 25, examples: [[AWKWARD]] }
    );
  });

  it('reach a program through cmd as they are', () => {
    const lines = fc.array(
      withoutNul.filter((text) => !/[\r\n]/.test(text)),
      { minLength: 1 }
    );
    fc.assert(
      fc.property(lines, (words) => {
        expect(wordsOfProgram(readByCmd(quotedFor('cmd', words)))).toEqual(words);
      }),
      { numRuns: 1000 }
    );
  });

  it('are refused for cmd when they have several lines', () => {
    expect(() => quotedFor('cmd', ['two\nlines'])).toThrow(/several lines/);
  });

  it('are strings that PowerShell reads as they are', () => {
    fc.assert(
      fc.property(fc.array(withoutNul, { minLength: 1 }), (words) => {
        expect(readByPowerShell(quotedFor('powershell', words))).toEqual(words);
      }),
      { numRuns: 1000 }
    );
  });
});

/** What cmd hands to a program: carets go, and what they stood before is left alone. */
function readByCmd(line: string): string {
  let read = '';
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] === '^') at += 1;
    else if (/[()%!<>&|"]/.test(line[at]!)) throw new Error(`cmd would see ${line[at]} at ${at}`);
    read += line[at];
  }
  return read;
}

/** The rules of the C runtime (CommandLineToArgvW) for the words behind the program. */
function wordsOfProgram(line: string): string[] {
  const words: string[] = [];
  let [current, isQuoted, isOpen] = ['', false, false];
  for (let at = 0; at < line.length; at += 1) {
    const [, slashes = ''] = /^(\\*)/.exec(line.slice(at)) ?? [];
    if (slashes !== '' && line[at + slashes.length] === '"') {
      current += '\\'.repeat(Math.floor(slashes.length / 2));
      at += slashes.length;
      if (slashes.length % 2 === 1) current += '"';
      else isQuoted = !isQuoted;
      isOpen = true;
    } else if (line[at] === '"') {
      isQuoted = !isQuoted;
      isOpen = true;
    } else if ((line[at] === ' ' || line[at] === '\t') && !isQuoted) {
      if (isOpen) words.push(current);
      [current, isOpen] = ['', false];
    } else {
      current += line[at];
      isOpen = true;
    }
  }
  return isOpen ? [...words, current] : words;
}

/** Words without anything that means something, and strings in single quotes. */
function readByPowerShell(line: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < line.length; at += 1) {
    const bare = /^(?:[A-Za-z_./][\w./-]*|--?[A-Za-z][\w-]*)(?= |$)/.exec(line.slice(at))?.[0];
    if (bare !== undefined) {
      words.push(bare);
      at += bare.length;
      continue;
    }
    const string = /^['\u2018-\u201b]((?:[^'\u2018-\u201b]|(['\u2018-\u201b])\2)*)['\u2018-\u201b](?= |$)/u.exec(
      line.slice(at)
    );
    if (!string) throw new Error(`no word at ${at} of ${line}`);
    words.push(string[1]!.replaceAll(/(['\u2018-\u201b])\1/g, '$1'));
    at += string[0].length;
  }
  return words;
}

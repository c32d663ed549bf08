import { Failure } from './failure';

/** The shells that command lines are written for. */
export const SHELLS = ['posix', 'cmd', 'powershell'] as const;

export type Shell = (typeof SHELLS)[number];

/**
 * Writes the words of a command line so that a shell reads exactly them.
 * `posix`: sh and its kin. `cmd`: as typed at its prompt; in a batch file a percent sign has to be doubled.
 * `powershell`: 7.3 and newer, which hand double quotes on as they are.
 * @throws Failure 'bad-request' for a line break, which cmd cannot be given
 */
export function quotedFor(shell: Shell, words: readonly string[]): string {
  return words.map(QUOTING[shell]).join(' ');
}

const QUOTING: Readonly<Record<Shell, (word: string) => string>> = { posix, cmd, powershell };

/** Words that mean themselves in every shell. A leading equals sign or tilde does not in zsh. */
const PLAIN = /^[\w./][\w./-]*$|^--?[a-z][\w-]*$/i;

function posix(word: string): string {
  return PLAIN.test(word) || /^\w[\w./=:,@%+-]*$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** In single quotes nothing but they mean something, and the typographic ones count as well. */
function powershell(word: string): string {
  // A word of digits and letters may be a number to it, such as 1kb.
  const isPlain = PLAIN.test(word) && !/^\d|^--$/.test(word) && !/^-.*[.]/.test(word);
  return isPlain ? word : `'${word.replaceAll(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;
}

/**
 * Two readers: the program splits its words by the rules of the C runtime (backslashes count before a quote), and
 * before it cmd reads what is not behind a caret, quotes included, so that it never takes a text for quoted.
 */
function cmd(word: string): string {
  if (/[\r\n]/.test(word)) {
    throw new Failure('bad-request', 'A text with several lines cannot be typed into cmd.', {
      nextStep: 'Take the command line for PowerShell.'
    });
  }
  if (PLAIN.test(word)) return word;
  const escaped = word.replaceAll(/(\\*)"/g, '$1$1\\"').replace(/\\+$/, '$&$&');
  return `"${escaped}"`.replaceAll(/[()%!^"<>&|]/g, '^$&');
}

import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Console } from '../../../server/cli/console';
import { Failure } from '../../../shared/failure';

/** A name that clears the screen, turns red, goes on in the other direction and begins a line. */
const NAME = 'a\u001b[2Jb\u009b31mc\u202ed\re\n';
const SHOWN = 'a�[2Jb�31mc�d�e�';

function terminal(color: boolean) {
  const out = new PassThrough({ encoding: 'utf8' });
  const err = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true, columns: 200 });
  const console = new Console({ out, err, json: false, quiet: false, color });
  return { console, printed: () => [out.read(), err.read()] };
}

describe('what a terminal is shown', () => {
  it.each([true, false])('has no character of a name that moves or hides others, with colours: %s', (color) => {
    const { console, printed } = terminal(color);
    const red = console.paint('red', 'found');
    console.answer(`${red}  ${NAME}`);
    console.remark(`${red}  ${NAME}`);
    expect(printed()).toEqual([`${red}  ${SHOWN}\n`, `${red}  ${SHOWN}\n`]);
    console.progress(NAME);
    expect(printed()).toEqual([null, `\r\u001b[K${SHOWN}`]);
    console.complaint(new Failure('bad-request', 'first\nsecond\u001b[2J', { subject: NAME, nextStep: NAME }));
    const word = console.paint('red', 'error');
    expect(printed()).toEqual([null, `\r\u001b[K${word}: first\nsecond�[2J\n  ${SHOWN}\n  ${SHOWN}\n`]);
  });
});

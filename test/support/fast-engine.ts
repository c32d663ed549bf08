import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STAND_IN } from './run-cli';

/** An engine that does not wait, and that notes how it was called. */
export interface FastEngine {
  readonly path: string;
  /** The argument arrays of its runs; questions for its version and abilities are left out. */
  runs(): Promise<readonly (readonly string[])[]>;
}

const QUESTIONS = new Set(['--version', '--help', '--list-devices']);

/** Writes a program into a folder that is the stand-in for sd-cli without its waiting. */
export async function fastEngine(folder: string): Promise<FastEngine> {
  const path = join(folder, 'sd-cli');
  const notes = join(folder, 'calls.jsonl');
  await writeFile(notes, '');
  await writeFile(
    path,
    `#!${process.execPath}
process.env.SD_CLI_STAND_IN_SPEED = '0';
require('node:fs').appendFileSync(require('node:path').join(__dirname, 'calls.jsonl'), JSON.stringify(process.argv.slice(2)) + '\\n');
import(${JSON.stringify(STAND_IN)});
`
  );
  await chmod(path, 0o755);
  return {
    path,
    async runs() {
      const lines = (await readFile(notes, 'utf8')).split('\n').filter((line) => line !== '');
      const calls = lines.map((line) => JSON.parse(line) as readonly string[]);
      return calls.filter(([first = '']) => !QUESTIONS.has(first));
    }
  };
}

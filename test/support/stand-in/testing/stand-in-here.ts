import { Writable } from 'node:stream';
import { Console } from '../console.mjs';
import { run } from '../run.mjs';
import type { Ended } from './stand-in-process';

/** Thrown where the program would have been ended by a signal. */
class Killed extends Error {
  constructor(readonly signal: string) {
    super(`ended by ${signal}`);
  }
}

function kill(signal: string): never {
  throw new Killed(signal);
}

/** Runs the stand-in to its end as its program would be run in `folder`, without starting a process for it. */
export async function runStandInHere(
  argv: readonly string[],
  folder: string,
  environment: NodeJS.ProcessEnv = {}
): Promise<Ended> {
  const written = { stdout: '', stderr: '' };
  const into = (name: keyof typeof written): Writable =>
    new Writable({
      write(chunk, _encoding, done) {
        written[name] += String(chunk);
        done();
      }
    });
  const console = new Console({ stdout: into('stdout'), stderr: into('stderr'), kill });
  const before = process.cwd();
  process.chdir(folder);
  try {
    const code: number = await run(argv, { SD_CLI_STAND_IN_SPEED: '0', ...environment }, console);
    return { code, signal: null, ...written };
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    return { code: null, signal: error.signal, ...written };
  } finally {
    process.chdir(before);
  }
}

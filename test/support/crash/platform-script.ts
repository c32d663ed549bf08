import { mkdirSync, rmdirSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { tryClaim } from '../../../server/platform/claims';
import { writeFileDurably } from '../../../server/platform/durable-files';
import { dieAtCall } from './die-at-call';

/**
 * A process to be killed. `write PATH LENGTH`: writes generations of a file and prints the number of each.
 * `write-once PATH TEXT DIE`: writes one. `claim PATH DIE`: takes a claim, is alone for a while, and dies holding it.
 * `hold PATH`: takes a claim and keeps it.
 */
async function main([action, path = '', ...rest]: readonly string[]): Promise<void> {
  switch (action) {
    case 'write':
      for (let generation = 0; ; generation += 1) {
        await writeFileDurably(path, `${generation % 10}`.repeat(Number(rest[0])));
        console.log(generation);
      }
    case 'write-once':
      dieAtCall(Number(rest[1]));
      return writeFileDurably(path, rest[0] ?? '');
    case 'claim':
      dieAtCall(Number(rest[0]));
      return claimAndDie(path);
    default:
      if (!(await tryClaim(path))) throw new Error('somebody else holds the claim');
      console.log('held');
      setInterval(() => undefined, 60_000);
  }
}

/** Two at a time would find the folder there. */
async function claimAndDie(path: string): Promise<void> {
  while (!(await tryClaim(path))) await turn();
  mkdirSync(`${path}.alone`);
  for (let turns = 0; turns < 50; turns += 1) await turn();
  rmdirSync(`${path}.alone`);
  process.stdout.write('was alone\n', () => process.kill(process.pid, 'SIGKILL'));
  await new Promise(() => undefined);
}

void main(process.argv.slice(2));

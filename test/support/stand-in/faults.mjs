import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { outOfMemoryText } from './recorded.mjs';
import { Stopped } from './stopped.mjs';

const FLOOD_BYTES = 100 * 1000 * 1000;
const FLOOD_CHUNK_BYTES = 64 * 1024;
const GRANDCHILD_LIFE_MS = 10 * 60 * 1000;

const FAULTS = [
  ['disk-full', 'partial-batch', 'no-file'],
  ['crash-sampling', 'flood-stderr', 'spawn-grandchild', 'ignore-sigterm', 'hang', 'out-of-memory']
].flat();

/** Reads `SD_CLI_STAND_IN_FAULT`, a comma-separated list; throws `Stopped` on an unknown name. */
export function faultsFrom(environment) {
  const names = (environment.SD_CLI_STAND_IN_FAULT ?? '').split(',').filter((name) => name !== '');
  for (const name of names) {
    if (!FAULTS.includes(name)) throw new Stopped(`SD_CLI_STAND_IN_FAULT knows ${FAULTS.join(', ')}, not ${name}`);
  }
  return new Set(names);
}

/** Ends the program by a signal after everything written has been read; never resolves. */
export async function dieBy(console, signal) {
  await console.flush();
  console.kill(signal);
  await hang();
}

/** The faults that show before the first weights are read. */
export async function beforeLoading(console, faults) {
  if (faults.has('ignore-sigterm')) {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'])
      process.on(signal, () => console.write('stdout', `[INFO ] stand-in: ignored ${signal}\n`));
  }
  if (faults.has('spawn-grandchild')) {
    const script = `setTimeout(() => undefined, ${GRANDCHILD_LIFE_MS})`;
    const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
    child.unref();
    await console.write('stdout', `[INFO ] stand-in: grandchild ${child.pid}\n`);
  }
  if (faults.has('out-of-memory')) {
    await console.write('stderr', outOfMemoryText());
    await dieBy(console, 'SIGABRT');
  }
}

/** The faults that show during sampling, after the first step's bar. */
export async function whileSampling(console, faults) {
  if (faults.has('flood-stderr')) await flood(console);
  if (faults.has('crash-sampling')) await dieBy(console, 'SIGSEGV');
  if (faults.has('hang') || faults.has('ignore-sigterm')) await hang();
}

/** Never resolves, and keeps the process alive without work. */
async function hang() {
  while (true) await sleep(2 ** 30);
}

async function flood(console) {
  const line = Buffer.concat([Buffer.from('\u001B[31mflood \u001B[1m'), Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0x80])]);
  const chunk = Buffer.alloc(FLOOD_CHUNK_BYTES, Buffer.concat([line, Buffer.from('\u001B[0m\n')]));
  for (let written = 0; written < FLOOD_BYTES; written += chunk.length) await console.write('stderr', chunk);
}

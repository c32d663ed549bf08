import { join } from 'node:path';
import { version } from '../package.json';
import { messageOf } from '../shared/failure';
import { LANGUAGE_SERVER, runCommandLine, sortWords } from './cli/command-line';
import { commandLineServices } from './cli/command-line-services';
import { HOME_VARIABLE } from './platform/cache-root';
import { errorCode } from './platform/system-error';

/** Runs what the words of the process say: wires it to the parts, nothing else. */
async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const { command, home: named, help } = sortWords(words);
  if (command === LANGUAGE_SERVER && !help) {
    if (named !== undefined) process.env[HOME_VARIABLE] = named;
    process.argv.splice(2, words.length, '--stdio');
    await import('./main');
    return;
  }
  const controller = new AbortController();
  // The last one tells that the terminal was closed; an engine would go on without us.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => controller.abort());
  // Whoever reads the answer may have had enough of it: `… | head`.
  process.stdout.on('error', (error) => {
    if (errorCode(error) !== 'EPIPE') throw error;
    controller.abort();
  });
  // Remarks are nobody's answer, so the work goes on without somebody who reads them.
  process.stderr.on('error', (error) => {
    if (errorCode(error) !== 'EPIPE') throw error;
  });
  process.exitCode = await runCommandLine(words, {
    version,
    out: process.stdout,
    err: process.stderr,
    environment: process.env,
    folder: process.cwd(),
    signal: controller.signal,
    createServices: (choices) =>
      commandLineServices(choices, { environment: process.env, workerScript: join(__dirname, 'worker.js') })
  });
}

main().catch((error: unknown) => {
  process.stderr.write(
    `diffusion-dock: unexpected fault: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\n`
  );
  process.exitCode = 1;
});

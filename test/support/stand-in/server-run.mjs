import { createServer } from 'node:http';
import { parseArguments, Refused } from './arguments.mjs';
import { Clock, RECORDED_SECONDS, speedFrom } from './clock.mjs';
import { Console } from './console.mjs';
import { openContext } from './context.mjs';
import { faultsFrom } from './faults.mjs';
import { optionTable } from './option-table.mjs';
import { serverUsageText, VERSION_LINE } from './recorded.mjs';
import { imageRequest } from './request.mjs';
import { serverFaultsFrom } from './server-faults.mjs';
import { Jobs } from './server-jobs.mjs';
import { answer } from './server-routes.mjs';
import { Stopped } from './stopped.mjs';

/**
 * Behaves as the recorded sd-server for an argument list (without the program). Resolves to the exit code when it
 * cannot start, and never when it can: only signals end it.
 */
export async function serve(argv, environment) {
  const console = new Console();
  try {
    await start(console, argv, environment);
  } catch (error) {
    await tell(console, error);
    await console.flush();
    return error.help === true ? 0 : 1;
  }
  return new Promise(() => {});
}

/** Asked for its usage. */
class Help extends Error {
  help = true;
}

async function tell(console, error) {
  if (error instanceof Help) await console.write('stdout', VERSION_LINE + serverUsageText());
  else if (error instanceof Refused) {
    for (const [source, text] of error.lines) await console.error(source, text);
    if (error.usage) await console.write('stdout', VERSION_LINE + serverUsageText());
  } else if (error instanceof Stopped) {
    if (error.refusal !== undefined) await console.refuse(error.refusal);
  } else throw error;
}

async function start(console, argv, environment) {
  const values = parseArguments(argv, optionTable(serverUsageText()));
  if (values.has('--help')) throw new Help();
  const clock = new Clock(speedFrom(environment));
  const faults = { run: faultsFrom(environment), server: serverFaultsFrom(environment) };
  const defaults = imageRequest(values);
  await clock.spend(RECORDED_SECONDS.open);
  const network = await openContext(console, clock, defaults);
  const jobs = new Jobs({ console, clock, network, defaults, faults });
  const options = { jobs, values, faults: faults.server };
  if (!faults.server.has('does-not-listen'))
    await listen(values, (request, response) => answer(options, request, response));
  else setInterval(() => undefined, 2 ** 30);
  if (faults.server.has('never-ready')) return;
  const [host, port] = address(values);
  await console.info('main.cpp:148', `listening on: http://${host}:${port}`);
}

function address(values) {
  return [values.get('--listen-ip') ?? '127.0.0.1', values.get('--listen-port') ?? 1234];
}

/** With SO_REUSEPORT as the recorded one; Node knows the option from 22.12 on, and older ones leave it out. */
function listen(values, onRequest) {
  const [host, port] = address(values);
  return new Promise((resolve, reject) => {
    const server = createServer(onRequest);
    server.once('error', (error) => reject(new Stopped(`has no recording of a port that is refused (${error.code})`)));
    server.listen({ host, port, reusePort: true }, resolve);
  });
}

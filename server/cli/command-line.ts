import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure } from '../../shared/failure';
import type { Services } from '../operations/services';
import { cleanUpAfterCrashes } from '../operations/start-up';
import type { AddressPolicy } from '../pull/address-policy';
import { type Command, type CommandInput, type CommandOptions, type ExitStatus, statusOf } from './command';
import { Console } from './console';
import { doctor } from './doctor';
import { drop } from './drop';
import { gc } from './gc';
import { generate } from './generate';
import { heal } from './heal';
import { inspect } from './inspect';
import { list } from './list';
import { pull } from './pull';
import { validate } from './validate';
import { verify } from './verify';

const COMMANDS: readonly Command[] = [validate, list, inspect, pull, verify, heal, drop, gc, generate, doctor];

const GLOBAL_OPTIONS = {
  home: { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
  'no-color': { type: 'boolean' },
  'allow-insecure-http': { type: 'boolean' },
  'adopt-from': { type: 'string', multiple: true },
  'allow-private-hosts': { type: 'boolean' },
  log: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' }
} as const satisfies CommandOptions;

/** What the command line gets from its process. */
export interface CommandLineHost {
  readonly version: string;
  readonly out: NodeJS.WritableStream;
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  readonly signal: AbortSignal;
  createServices(options: ServiceChoices): Services;
}

/** What a command line says about the services that it works with. */
export interface ServiceChoices {
  readonly home: string | undefined;
  readonly policy: AddressPolicy;
  /** Absolute paths. */
  readonly adoptFrom: readonly string[];
  /** Absolute path of the file that the log is appended to. */
  readonly logFile: string | undefined;
}

/** Runs one command line from its words to its exit status. Expected failures are told, bugs are thrown. */
export async function runCommandLine(words: readonly string[], host: CommandLineHost): Promise<ExitStatus> {
  const [first, ...rest] = words;
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') {
    host.out.write(overview());
    return first === undefined ? 2 : 0;
  }
  if (first === '--version') {
    host.out.write(`${host.version}\n`);
    return 0;
  }
  const console = plainConsole(words, host);
  try {
    return await runWords([first, ...rest], host, console);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.failure(error);
    return statusOf(error);
  }
}

async function runWords(words: readonly string[], host: CommandLineHost, console: Console): Promise<ExitStatus> {
  const { command, args } = findCommand(words);
  const { input, globals } = parse(command, args, host.folder);
  if (globals.help) {
    host.out.write(`usage: diffusion-dock ${command.name} ${command.usage}\n\n${command.summary}\n`);
    return 0;
  }
  const services = host.createServices(globals);
  try {
    await cleanUpAfterCrashes(services);
    return await command.run(input, {
      services,
      console,
      signal: host.signal,
      folder: host.folder,
      version: host.version
    });
  } finally {
    console.clearProgress();
    await services.dispose();
  }
}

/** The command is the first word that is no global option nor its value. */
function findCommand(words: readonly string[]): { command: Command; args: string[] } {
  const { tokens } = parseArgs({
    args: [...words],
    options: GLOBAL_OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true
  });
  const token = tokens.find((candidate) => candidate.kind === 'positional');
  const command = COMMANDS.find(({ name }) => name === token?.value);
  if (token && command) return { command, args: words.toSpliced(token.index, 1) };
  throw new Failure('wrong-usage', token ? `There is no command "${token.value}".` : 'Name a command.', {
    nextStep: `Commands are: ${COMMANDS.map(({ name }) => name).join(', ')}. "diffusion-dock help" tells more.`
  });
}

interface Globals extends ServiceChoices {
  readonly help: boolean;
}

/** @throws Failure('wrong-usage') for options that the command does not know */
function parse(command: Command, args: string[], folder: string): { input: CommandInput; globals: Globals } {
  const options = { ...GLOBAL_OPTIONS, ...command.options };
  const { values, positionals } = checked(() => parseArgs({ args, options, allowPositionals: true }));
  const given: Readonly<Record<string, unknown>> = values;
  const texts = (option: string): string[] =>
    [given[option]].flat().filter((value): value is string => typeof value === 'string');
  const input: CommandInput = {
    names: positionals,
    texts,
    text: (option) => texts(option).at(-1),
    flag: (option) => given[option] === true
  };
  const logFile = input.text('log');
  const globals = {
    home: input.text('home'),
    adoptFrom: input.texts('adopt-from').map((path) => resolve(folder, path)),
    logFile: logFile === undefined ? undefined : resolve(folder, logFile),
    policy: {
      allowInsecureHttp: input.flag('allow-insecure-http'),
      allowPrivateHosts: input.flag('allow-private-hosts')
    },
    help: input.flag('help')
  };
  return { input, globals };
}

function checked<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new Failure('wrong-usage', error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Made before anything is parsed, so that wrong usage is told in the wanted form too. */
function plainConsole(words: readonly string[], { out, err, environment }: CommandLineHost): Console {
  const has = (flag: string): boolean => words.includes(flag);
  const color = err.isTTY === true && !has('--no-color') && !environment['NO_COLOR'];
  return new Console({ out, err, json: has('--json'), quiet: has('--quiet'), color });
}

function overview(): string {
  const lines = COMMANDS.map(({ name, usage, summary }) => `  ${`${name} ${usage}`.trim()}\n      ${summary}`);
  return `usage: diffusion-dock <command> [options]

${lines.join('\n')}
  lsp --stdio
      the language server, for any editor

options for every command:
  --home DIR              folder of the cache (else DIFFUSION_DOCK_HOME, else the platform's data folder)
  --json                  answers as JSON: one document, or one object a line while something runs
  --quiet                 answers only
  --no-color              no colours
  --allow-insecure-http   plain http for hosts other than this machine
  --log FILE              appends what transfers and clean-ups do, a line each
  --adopt-from DIR        a folder that identical files are copied from instead of transferred; may be repeated
  --allow-private-hosts   hosts of private networks that a manifest names

exit status: 0 done, 1 findings or a failed job, 2 wrong usage, 130 cancelled
`;
}

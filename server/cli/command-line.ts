import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure } from '../../shared/failure';
import { cleanUpAfterCrashes } from '../operations/clean-up/start-up';
import type { Services } from '../operations/services';
import type { AddressPolicy } from '../pull/network/address-policy';
import { type Command, type CommandInput, type CommandOptions, type ExitStatus, statusOf } from './command';
import { batch } from './commands/batch';
import { convert } from './commands/convert';
import { doctor } from './commands/doctor';
import { drop } from './commands/drop';
import { engine } from './commands/engine';
import { fetch } from './commands/fetch';
import { gc } from './commands/gc';
import { generate } from './commands/generate';
import { heal } from './commands/heal';
import { images } from './commands/images';
import { inspect } from './commands/inspect';
import { list } from './commands/list';
import { manifest } from './commands/manifest';
import { publish } from './commands/publish';
import { pull } from './commands/pull';
import { store } from './commands/store';
import { unpublish } from './commands/unpublish';
import { upscale } from './commands/upscale';
import { validate } from './commands/validate';
import { verify } from './commands/verify';
import { Console } from './console';

const COMMANDS: readonly Command[] = [
  validate,
  manifest,
  list,
  inspect,
  pull,
  verify,
  heal,
  drop,
  gc,
  publish,
  fetch,
  unpublish,
  store,
  generate,
  batch,
  images,
  upscale,
  convert,
  engine,
  doctor
];

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
  const { command, help, version } = sortWords(words);
  if (words.length === 0) {
    host.out.write(overview());
    return 2;
  }
  const console = plainConsole(words, host);
  try {
    if (version || help || command === 'help') {
      host.out.write(version ? `${host.version}\n` : helpOn(words));
      return 0;
    }
    return await runWords(words, host, console);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.failure(error);
    return statusOf(error);
  }
}

/** @throws Failure('wrong-usage') for help on what is no command */
function helpOn(words: readonly string[]): string {
  const { command, others } = sortWords(words);
  const subject = command === 'help' ? sortWords(others).command : command;
  if (subject === undefined || subject === LANGUAGE_SERVER) return overview();
  const { name, usage, summary } = commandNamed(subject);
  return `usage: diffusion-dock ${`${name} ${usage}`.trim()}\n\n${summary}\n`;
}

async function runWords(words: readonly string[], host: CommandLineHost, console: Console): Promise<ExitStatus> {
  const { command: name, others } = sortWords(words);
  const command = commandNamed(name);
  const { input, globals } = parse(command, others, host.folder);
  const services = host.createServices(globals);
  try {
    if (!command.tidiesUp) await cleanUpAfterCrashes(services);
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

/** @throws Failure('wrong-usage') when there is no such command */
function commandNamed(word: string | undefined): Command {
  const command = COMMANDS.find(({ name }) => name === word);
  if (command) return command;
  throw new Failure('wrong-usage', word === undefined ? 'Name a command.' : `There is no command "${word}".`, {
    nextStep: `Commands are: ${COMMANDS.map(({ name }) => name).join(', ')}. "diffusion-dock help" tells more.`
  });
}

/** The words of a command line, sorted before anybody knows whether they make sense. */
export interface SortedWords {
  /** The first word that is no option nor the value of one. */
  readonly command: string | undefined;
  /** All the others, in their order. */
  readonly others: readonly string[];
  readonly home: string | undefined;
  readonly help: boolean;
  readonly version: boolean;
}

/** The command that is no job of the command line's own. */
export const LANGUAGE_SERVER = 'lsp';

/** Finds the command, on whichever side of it its options are. */
export function sortWords(words: readonly string[]): SortedWords {
  const options: CommandOptions = Object.assign({}, ...COMMANDS.map((command) => command.options), GLOBAL_OPTIONS);
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true });
  const given = new Map<string, string | undefined>();
  for (const token of tokens) if (token.kind === 'option') given.set(token.name, token.value);
  const [command] = tokens.flatMap((token) => (token.kind === 'positional' ? [token] : []));
  return {
    command: command?.value,
    others: command ? words.toSpliced(command.index, 1) : words,
    home: given.get('home'),
    help: given.has('help'),
    version: given.has('version')
  };
}

/** @throws Failure('wrong-usage') for options that the command does not know */
function parse(
  command: Command,
  args: readonly string[],
  folder: string
): { input: CommandInput; globals: ServiceChoices } {
  const options = { ...GLOBAL_OPTIONS, ...command.options };
  const { values, positionals } = checked(() => parseArgs({ args: [...args], options, allowPositionals: true }));
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
    }
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
  ${LANGUAGE_SERVER} --stdio
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

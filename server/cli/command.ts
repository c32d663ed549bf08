import type { Failure } from '../../shared/failure';
import type { Services } from '../operations/services';
import type { Console } from './console';

/** 0 done, 1 findings or a failed job, 2 wrong usage, 130 cancelled. */
export type ExitStatus = 0 | 1 | 2 | 130;

/** The options of a command, as `util.parseArgs` takes them. */
export type CommandOptions = Readonly<
  Record<string, { readonly type: 'string' | 'boolean'; readonly short?: string; readonly multiple?: boolean }>
>;

/** What the command line gave for a command, checked for unknown options. */
export interface CommandInput {
  readonly names: readonly string[];
  /** The last value of a string option. */
  text(option: string): string | undefined;
  /** Every value of a string option that may be repeated. */
  texts(option: string): readonly string[];
  flag(option: string): boolean;
}

export interface CommandContext {
  readonly services: Services;
  readonly console: Console;
  readonly signal: AbortSignal;
  /** Absolute path that relative arguments are relative to. */
  readonly folder: string;
  /** Version of the product. */
  readonly version: string;
}

/** One command of the command line. */
export interface Command {
  readonly name: string;
  /** What follows the name in the usage line. */
  readonly usage: string;
  readonly summary: string;
  readonly options: CommandOptions;
  /** Whether it tidies up after crashes itself and says what it found. */
  readonly tidiesUp?: true;
  /** @throws Failure */
  run(input: CommandInput, context: CommandContext): Promise<ExitStatus>;
}

/** The status that a failed command ends with. */
export function statusOf({ code }: Failure): ExitStatus {
  if (code === 'cancelled') return 130;
  return code === 'wrong-usage' || code === 'bad-request' ? 2 : 1;
}

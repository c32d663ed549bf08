import { Failure } from '../../../shared/failure';
import type { EngineAbilities } from '../abilities';

/** What is asked of a build's help. */
export type KnownOptions = Pick<EngineAbilities, 'options' | 'samplingMethods' | 'schedulers'>;

/** A build that nobody has asked, or that nobody here can ask: nothing is left out or refused for it. */
export const UNKNOWN_BUILD: KnownOptions = {
  options: new Set(),
  samplingMethods: new Set(),
  schedulers: new Set()
};

/** One option of sd-cli. */
export interface EngineOption {
  /** With its dashes. */
  readonly name: `--${string}`;
  /** Absent: the option is a switch. */
  readonly value?: string;
  /** `essential`: it says what is made, and of what; `optional`: how, and a build that lacks it makes it all the same. */
  readonly weight: 'essential' | 'optional';
}

/** What a build is called with. */
export interface EngineCommand {
  /** The array of arguments; a value follows its option, so that no text is ever read as an option. */
  readonly options: readonly string[];
  /** What was asked for and this build does not know, one sentence each. */
  readonly unsent: readonly string[];
}

/** Whether a build knows an option; true when its help could not be understood. */
export function knowsOption({ options }: Pick<KnownOptions, 'options'>, name: string): boolean {
  return options.size === 0 || options.has(name);
}

/** An option without which a build is no use. */
export function essential(name: EngineOption['name'], value?: string): EngineOption {
  return { name, ...(value !== undefined && { value }), weight: 'essential' };
}

/** An option that a build may lack. */
export function optional(name: EngineOption['name'], value?: string): EngineOption {
  return { name, ...(value !== undefined && { value }), weight: 'optional' };
}

/**
 * The arguments for a build: options that it lacks are left out and said.
 * @param abilities without options when the build's help could not be understood: then everything is sent
 * @throws Failure('engine-unusable') when the build lacks an essential option
 */
export function engineCommand(options: readonly EngineOption[], abilities: KnownOptions): EngineCommand {
  const known = ({ name }: EngineOption): boolean => knowsOption(abilities, name);
  const missing = options.filter((option) => !known(option));
  const needed = missing.find(({ weight }) => weight === 'essential');
  if (needed) {
    throw new Failure('engine-unusable', `This sd-cli does not know the option ${needed.name}, which this run needs.`, {
      subject: needed.name,
      nextStep: 'Install a newer sd-cli.'
    });
  }
  return {
    options: options.filter(known).flatMap(({ name, value }) => (value === undefined ? [name] : [name, value])),
    unsent: [...new Set(missing.map(({ name }) => name))].map(
      (name) => `This sd-cli does not know the option ${name}; it was left out.`
    )
  };
}

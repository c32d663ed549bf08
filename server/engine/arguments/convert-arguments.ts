import { type EngineCommand, engineCommand, essential, type KnownOptions, optional } from './engine-option';

/** What the arguments of a conversion follow from. */
export interface ConvertArguments {
  /** Absolute path of the file to convert. */
  readonly file: string;
  /** sd-cli's name of what it is converted to. */
  readonly type: string;
  readonly abilities: KnownOptions;
  readonly threads: number;
  /** Name of the GGUF file that comes out, in the engine's working directory. */
  readonly output: string;
}

/** The arguments that convert one file. @throws Failure('engine-unusable') when the build cannot */
export function convertArguments({ file, type, abilities, threads, output }: ConvertArguments): EngineCommand {
  return engineCommand(
    [
      essential('--mode', 'convert'),
      essential('--model', file),
      essential('--type', type),
      optional('--threads', String(threads)),
      essential('--output', output)
    ],
    abilities
  );
}

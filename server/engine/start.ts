import { Failure } from '../../shared/failure';
import { type ChildOptions, type RunningChild, startChild } from '../platform/child-process';
import { errorCode } from '../platform/system-error';
import { checkExecutable } from './executable';
import type { EngineProgram } from './program';

const OTHER_BUILD = 'Install an engine that was built for this system.';
const CHECK = 'Check the installation of the engine.';

/** What refusals of the system to start a program mean. */
const REFUSALS: Readonly<Record<string, { readonly reason: string; readonly nextStep: string }>> = {
  // The file itself was just read, so something that it needs is missing.
  ENOENT: {
    reason: 'the loader or interpreter that it needs is missing',
    nextStep: OTHER_BUILD
  },
  EACCES: {
    reason: 'it is not marked as executable, or its disk forbids programs',
    nextStep: 'Make the file executable, or move it to another disk.'
  },
  ENOEXEC: {
    reason: 'it is not a program for this system',
    nextStep: OTHER_BUILD
  },
  ETXTBSY: {
    reason: 'the file is just being written',
    nextStep: 'Wait until its installation is complete, then try again.'
  },
  E2BIG: {
    reason: 'its arguments are longer than the system allows',
    nextStep: 'Shorten the prompt.'
  },
  ENAMETOOLONG: {
    reason: 'its arguments are longer than the system allows',
    nextStep: 'Shorten the prompt.'
  }
};

/**
 * Starts a program of the engine after a look at the file.
 * @throws Failure 'engine-missing', 'engine-unusable'
 */
export async function startEngine(options: ChildOptions, program: EngineProgram = 'sd-cli'): Promise<RunningChild> {
  await checkExecutable(options.file, program);
  try {
    return await startChild(options);
  } catch (error) {
    throw startFailure(error, options.file, program);
  }
}

function startFailure(error: unknown, path: string, program: EngineProgram): unknown {
  const code = errorCode(error);
  // Codes of Node itself mean a wrong call, which is a bug of ours.
  if (code === undefined || code.startsWith('ERR_')) return error;
  const refusal = REFUSALS[code];
  return new Failure('engine-unusable', `${program} cannot be started: ${refusal?.reason ?? code}.`, {
    subject: path,
    nextStep: refusal?.nextStep ?? CHECK,
    cause: error
  });
}

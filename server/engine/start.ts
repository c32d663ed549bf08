import { Failure } from '../../shared/failure';
import { type ChildOptions, type RunningChild, startChild } from '../platform/child-process';
import { errorCode } from '../platform/system-error';
import { checkExecutable } from './executable';

/** What refusals of the system to start a program mean. */
const REFUSALS: Readonly<Record<string, { readonly sentence: string; readonly nextStep: string }>> = {
  // The file itself was just read, so something that it needs is missing.
  ENOENT: {
    sentence: 'sd-cli cannot be started: the loader or interpreter that it needs is missing.',
    nextStep: 'Install sd-cli for this system.'
  },
  EACCES: {
    sentence: 'sd-cli cannot be started: it is not marked as executable, or its disk forbids programs.',
    nextStep: 'Make the file executable, or move it to another disk.'
  },
  ENOEXEC: {
    sentence: 'sd-cli cannot be started: it is not a program for this system.',
    nextStep: 'Install sd-cli for this system.'
  },
  ETXTBSY: {
    sentence: 'sd-cli cannot be started: the file is just being written.',
    nextStep: 'Wait until its installation is complete, then try again.'
  },
  E2BIG: {
    sentence: 'sd-cli cannot be started: its arguments are longer than the system allows.',
    nextStep: 'Shorten the prompt.'
  },
  ENAMETOOLONG: {
    sentence: 'sd-cli cannot be started: its arguments are longer than the system allows.',
    nextStep: 'Shorten the prompt.'
  }
};

/**
 * Starts sd-cli after a look at the file.
 * @throws Failure 'engine-missing', 'engine-unusable'
 */
export async function startEngine(options: ChildOptions): Promise<RunningChild> {
  await checkExecutable(options.file);
  try {
    return await startChild(options);
  } catch (error) {
    throw startFailure(error, options.file);
  }
}

function startFailure(error: unknown, path: string): unknown {
  const code = errorCode(error);
  // Codes of Node itself mean a wrong call, which is a bug of ours.
  if (code === undefined || code.startsWith('ERR_')) return error;
  const refusal = REFUSALS[code];
  return new Failure('engine-unusable', refusal?.sentence ?? `sd-cli cannot be started (${code}).`, {
    subject: path,
    nextStep: refusal?.nextStep ?? 'Check the installation of sd-cli.',
    cause: error
  });
}

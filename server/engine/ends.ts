import type { ChildEnd } from '../platform/child-process';
import type { MemoryVerdict } from '../platform/memory-watch';
import type { EngineProgram } from './program';

/** How a run of the engine ended. */
export interface EngineEnd extends ChildEnd {
  /** What became of the machine's memory meanwhile. */
  readonly memory: MemoryVerdict;
}

/** What an end means when the engine itself said nothing about it. */
export interface EndMeaning {
  readonly sentence: string;
  readonly nextStep: string;
}

type Meaning = (program: EngineProgram) => EndMeaning;

const LOG = 'Look at its last lines.';
const SMALLER = 'Choose a smaller image or a smaller model, or close other programs.';

const unknownInstructions: Meaning = (program) => ({
  sentence: `This ${program} uses instructions that the processor does not have.`,
  nextStep: `Install an ${program} that was built for this machine.`
});

function ended(how: string): Meaning {
  return (program) => ({ sentence: `Another program ended ${program}${how}.`, nextStep: 'Try again.' });
}

function gaveUp(how: string): Meaning {
  return (program) => ({ sentence: `${program} gave up by itself${how}.`, nextStep: LOG });
}

function crashed(how: string): Meaning {
  return (program) => ({ sentence: `${program} crashed${how}.`, nextStep: `${LOG} Another version may not.` });
}

const SIGNALS: Readonly<Partial<Record<NodeJS.Signals, Meaning>>> = {
  SIGABRT: gaveUp(' (SIGABRT)'),
  SIGSEGV: crashed(' (SIGSEGV)'),
  SIGILL: unknownInstructions,
  SIGBUS: (program) => ({
    sentence: `${program} could not read a part of a file (SIGBUS): it was cut while in use, or its disk fails.`,
    nextStep: 'Verify the model.'
  }),
  SIGTERM: ended(' (SIGTERM)'),
  SIGHUP: ended(' (SIGHUP)'),
  SIGINT: ended(' (SIGINT)')
};

/** Exit codes of programs that Windows ended (NTSTATUS values of its documentation). */
const WINDOWS_CODES: Readonly<Record<number, Meaning>> = {
  0xc0000005: crashed(' (access violation)'),
  0xc0000017: (program) => ({
    sentence: `${program} ended because there was not enough memory.`,
    nextStep: SMALLER
  }),
  0xc000001d: unknownInstructions,
  0xc0000135: (program) => ({
    sentence: `A library that ${program} needs is missing.`,
    nextStep: `Install ${program} anew, with all files of its archive in one folder.`
  }),
  0xc000013a: ended(''),
  0xc0000409: gaveUp('')
};

/** What an end of the engine means, told from nothing but its code or signal and the machine's memory. */
export function endMeaning({ code, signal, memory }: EngineEnd, program: EngineProgram): EndMeaning {
  if (signal === 'SIGKILL') return killed(memory, program);
  if (signal !== null)
    return SIGNALS[signal]?.(program) ?? { sentence: `${program} crashed (${signal}).`, nextStep: LOG };
  const known = WINDOWS_CODES[code ?? 0];
  return known?.(program) ?? { sentence: `${program} failed with exit code ${code}.`, nextStep: LOG };
}

function killed(memory: MemoryVerdict, program: EngineProgram): EndMeaning {
  switch (memory) {
    case 'ran-out':
      return { sentence: `The system killed ${program} because memory ran out.`, nextStep: SMALLER };
    case 'enough':
      return {
        sentence: `Another program or a user killed ${program}; memory had not run out.`,
        nextStep: 'Try again.'
      };
    case 'unknown':
      return { sentence: `${program} was killed, which happens when memory runs out.`, nextStep: SMALLER };
  }
}

import type { ChildEnd } from '../platform/child-process';
import type { MemoryVerdict } from '../platform/memory-watch';

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

const LOG = 'Look at its last lines.';
const SMALLER = 'Choose a smaller image or a smaller model, or close other programs.';
const OTHER_BUILD = 'Install an sd-cli that was built for this machine.';

const SIGNALS: Readonly<Partial<Record<NodeJS.Signals, EndMeaning>>> = {
  SIGABRT: { sentence: 'sd-cli gave up by itself (SIGABRT).', nextStep: LOG },
  SIGSEGV: { sentence: 'sd-cli crashed (SIGSEGV).', nextStep: `${LOG} Another version of sd-cli may not.` },
  SIGILL: { sentence: 'This sd-cli uses instructions that the processor does not have.', nextStep: OTHER_BUILD },
  SIGBUS: {
    sentence: 'sd-cli could not read a part of a file (SIGBUS): it was cut while in use, or its disk fails.',
    nextStep: 'Verify the model.'
  },
  SIGTERM: { sentence: 'Another program ended sd-cli (SIGTERM).', nextStep: 'Try again.' },
  SIGHUP: { sentence: 'Another program ended sd-cli (SIGHUP).', nextStep: 'Try again.' },
  SIGINT: { sentence: 'Another program ended sd-cli (SIGINT).', nextStep: 'Try again.' }
};

/** Exit codes of programs that Windows ended (NTSTATUS values of its documentation). */
const WINDOWS_CODES: Readonly<Record<number, EndMeaning>> = {
  0xc0000005: { sentence: 'sd-cli crashed (access violation).', nextStep: `${LOG} Another version may not.` },
  0xc0000017: { sentence: 'sd-cli ended because there was not enough memory.', nextStep: SMALLER },
  0xc000001d: {
    sentence: 'This sd-cli uses instructions that the processor does not have.',
    nextStep: OTHER_BUILD
  },
  0xc0000135: {
    sentence: 'A library that sd-cli needs is missing.',
    nextStep: 'Install sd-cli anew, with all files of its archive in one folder.'
  },
  0xc000013a: { sentence: 'Another program ended sd-cli.', nextStep: 'Try again.' },
  0xc0000409: { sentence: 'sd-cli gave up by itself.', nextStep: LOG }
};

/** What an end of the engine means, told from nothing but its code or signal and the machine's memory. */
export function endMeaning({ code, signal, memory }: EngineEnd): EndMeaning {
  if (signal === 'SIGKILL') return killed(memory);
  if (signal !== null) return SIGNALS[signal] ?? { sentence: `sd-cli crashed (${signal}).`, nextStep: LOG };
  return WINDOWS_CODES[code ?? 0] ?? { sentence: `sd-cli failed with exit code ${code}.`, nextStep: LOG };
}

function killed(memory: MemoryVerdict): EndMeaning {
  switch (memory) {
    case 'ran-out':
      return { sentence: 'The system killed sd-cli because memory ran out.', nextStep: SMALLER };
    case 'enough':
      return { sentence: 'Another program or a user killed sd-cli; memory had not run out.', nextStep: 'Try again.' };
    case 'unknown':
      return { sentence: 'sd-cli was killed, which happens when memory runs out.', nextStep: SMALLER };
  }
}

import { Failure } from '../../shared/failure';
import { withFile } from '../platform/durable-files';
import { errorCode } from '../platform/system-error';
import type { EngineProgram } from './program';

/** How many bytes {@link executableProblem} looks at. */
const HEADER_BYTES = 64;

/** `e_machine` of ELF headers by Node's name of the processor (System V ABI). */
const ELF_MACHINES: Readonly<Record<string, number>> = {
  ia32: 3,
  ppc64: 21,
  s390x: 22,
  arm: 40,
  x64: 62,
  arm64: 183,
  riscv64: 243,
  loong64: 258
};

/** Mach-O in both byte orders and widths, and the universal binary. */
const MACH_O_MAGICS = new Set([0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe, 0xcafebabe]);

/**
 * Makes sure that the system itself can run a file. A file without a valid header would not be refused by the
 * system call we start it with: it would be handed to /bin/sh, which runs it as a script.
 * @throws Failure 'engine-missing', 'engine-unusable'
 */
export async function checkExecutable(path: string, program: EngineProgram = 'sd-cli'): Promise<void> {
  const problem = executableProblem(await readHeader(path, program), process.platform, process.arch);
  if (problem === undefined) return;
  throw new Failure('engine-unusable', `${program} cannot be run: the file ${problem}.`, {
    subject: path,
    nextStep: `Install ${program} for this system, or point the setting to another one.`
  });
}

/**
 * Why a platform cannot run a file that begins with these bytes.
 * @returns a predicate that completes a sentence which begins with the file, or undefined
 */
export function executableProblem(header: Uint8Array, platform: NodeJS.Platform, arch: string): string | undefined {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const format = formatOf(view);
  if (format === undefined) return header.length === 0 ? 'is empty' : 'is not a program';
  if (format === 'script') return platform === 'win32' ? 'is a script' : undefined;
  const expected = platform === 'win32' ? 'pe' : platform === 'darwin' ? 'mach-o' : 'elf';
  if (format !== expected) return 'is a program for another operating system';
  const machine = ELF_MACHINES[arch];
  if (format === 'elf' && machine !== undefined && elfMachine(view) !== machine) {
    return 'is a program for another processor';
  }
  return undefined;
}

function formatOf(view: DataView): 'elf' | 'mach-o' | 'pe' | 'script' | undefined {
  if (view.byteLength < 4) return undefined;
  const magic = view.getUint32(0);
  if (magic === 0x7f454c46) return 'elf';
  if (MACH_O_MAGICS.has(magic)) return 'mach-o';
  if (magic >>> 16 === 0x4d5a) return 'pe';
  return magic >>> 16 === 0x2321 ? 'script' : undefined;
}

function elfMachine(view: DataView): number | undefined {
  return view.byteLength < 20 ? undefined : view.getUint16(18, view.getUint8(5) === 1);
}

async function readHeader(path: string, program: EngineProgram): Promise<Uint8Array> {
  try {
    return await withFile(path, 'r', async (file) => {
      const { bytesRead, buffer } = await file.read(new Uint8Array(HEADER_BYTES), 0, HEADER_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    });
  } catch (error) {
    throw readFailure(error, path, program);
  }
}

function readFailure(error: unknown, path: string, program: EngineProgram): unknown {
  const nextStep = `Check the path of ${program} in the settings.`;
  switch (errorCode(error)) {
    case undefined:
      return error;
    case 'ENOENT':
    case 'ENOTDIR':
      return new Failure('engine-missing', `There is no ${program} at this path.`, {
        subject: path,
        nextStep,
        cause: error
      });
    case 'EISDIR':
      return new Failure('engine-unusable', `The path of ${program} names a folder.`, {
        subject: path,
        nextStep,
        cause: error
      });
    default:
      return new Failure('engine-unusable', `${program} cannot be read.`, { subject: path, nextStep, cause: error });
  }
}

import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import type { Digest } from '../../shared/digest';
import { makeDirectoryDurably, writeFileDurably } from '../platform/durable-files';
import type { Hasher } from '../platform/hasher';
import { bootId } from '../platform/process-identity';
import { errorCode, fileFailure, isErrorWithCode } from '../platform/system-error';
import { stampKey } from '../store/proof-log';
import type { Proofs } from '../store/proofs';
import { readDigest } from '../store/read-digest';
import type { EngineAbilities } from './abilities';
import { checkExecutable } from './executable';
import { type EngineProbe, probeAbilities } from './probe';

export interface RememberedProbesOptions {
  /** Folder of the records, one for each program, named by its digest; an absolute path. */
  readonly folder: string;
  readonly hasher: Hasher;
  readonly proofs: Proofs;
}

export interface AbilitiesRequest extends EngineProbe {
  /** Whether to ask the program even when its answers are remembered. */
  readonly fresh?: boolean;
}

/** What a program answered, and in which surroundings: libraries, boot, and the variables that choose devices. */
const probeRecord = z.object({
  surroundings: z.string(),
  version: z.string(),
  options: z.array(z.string()),
  samplingMethods: z.array(z.string()),
  schedulers: z.array(z.string()),
  devices: z.array(z.object({ name: z.string(), description: z.string() }))
});

/** Files beside a program that its abilities may come from. */
const LIBRARY = /\.(?:so(?:\.[\d.]+)?|dylib|dll)$/i;

/** Variables by which libraries and devices are found. */
const DEVICE_VARIABLE = /^(?:LD_LIBRARY_PATH$|DYLD_|CUDA_|NVIDIA_|HIP_|ROCR_|HSA_|GGML_|VK_)/;

/**
 * Knows what engines can do without asking them anew: in memory, and on disk by the digest of the program. A program
 * whose file did not change is not hashed again. What was remembered counts while the libraries beside the program, the
 * boot of the machine and the variables that choose devices are the same.
 */
export class RememberedProbes {
  private readonly known = new Map<string, { readonly state: string; readonly abilities: EngineAbilities }>();

  constructor(private readonly options: RememberedProbesOptions) {}

  /** @throws Failure 'engine-missing', 'engine-unusable', 'file-access', 'cancelled' */
  async abilities(request: AbilitiesRequest): Promise<EngineAbilities> {
    const { path, fresh = false } = request;
    const program = await realProgram(path);
    const surroundings = await surroundingsOf(program, request.environment);
    const state = `${await stateOf(program)} ${surroundings}`;
    const remembered = this.known.get(program);
    if (!fresh && remembered?.state === state) return remembered.abilities;
    await checkExecutable(program);
    const digest = await this.digestOf(program, request);
    const recorded = fresh ? undefined : await this.read(digest, surroundings);
    const abilities = recorded ?? { ...(await probeAbilities(request)), digest };
    if (!recorded) await this.write(abilities, surroundings);
    this.known.set(program, { state, abilities });
    return abilities;
  }

  private async digestOf(program: string, { signal }: EngineProbe): Promise<Digest> {
    const { hasher, proofs } = this.options;
    try {
      await proofs.refresh();
      const reading = await readDigest(program, { hasher, proofs, signal: signal ?? new AbortController().signal });
      return reading.digest;
    } catch (error) {
      throw fileFailure(error, 'sd-cli cannot be read.', program);
    }
  }

  private async read(digest: Digest, surroundings: string): Promise<EngineAbilities | undefined> {
    try {
      const record = probeRecord.parse(JSON.parse(await readFile(this.fileOf(digest), 'utf8')));
      if (record.surroundings !== surroundings) return undefined;
      const { version, devices } = record;
      const [options, samplingMethods, schedulers] = [record.options, record.samplingMethods, record.schedulers];
      return {
        digest,
        version,
        devices,
        options: new Set(options),
        samplingMethods: new Set(samplingMethods),
        schedulers: new Set(schedulers)
      };
    } catch {
      // Nothing is lost with a record that is missing or damaged but the time to ask again.
      return undefined;
    }
  }

  private async write(abilities: EngineAbilities, surroundings: string): Promise<void> {
    const { digest, version, devices, options, samplingMethods, schedulers } = abilities;
    const record: z.infer<typeof probeRecord> = {
      surroundings,
      version,
      options: [...options],
      samplingMethods: [...samplingMethods],
      schedulers: [...schedulers],
      devices: [...devices]
    };
    try {
      await makeDirectoryDurably(this.options.folder);
      await writeFileDurably(this.fileOf(digest), `${JSON.stringify(record)}\n`);
    } catch (error) {
      // A cache that cannot be written is not missed.
      if (errorCode(error) === undefined) throw error;
    }
  }

  private fileOf(digest: Digest): string {
    return join(this.options.folder, `${digest}.json`);
  }
}

/** Links, as package managers make them, lead to the program whose libraries count; whatever is wrong is told later. */
async function realProgram(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    throw fileFailure(error, 'sd-cli cannot be found.', path);
  }
}

async function surroundingsOf(program: string, environment: Readonly<Record<string, string>>): Promise<string> {
  const variables = Object.keys(environment).filter((name) => DEVICE_VARIABLE.test(name));
  const facts = {
    boot: await bootId(),
    libraries: await librariesBeside(program),
    variables: variables.toSorted().map((name) => [name, environment[name]])
  };
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

async function librariesBeside(program: string): Promise<string[]> {
  const folder = dirname(program);
  const names = (await namesIn(folder)).filter((name) => LIBRARY.test(name)).toSorted();
  return Promise.all(names.map(async (name) => `${name} ${await stateOf(join(folder, name))}`));
}

/** A folder may be searched but not listed; then its libraries are not known, and taken as unchanged. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrorWithCode(error, 'EACCES', 'EPERM', 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

async function stateOf(path: string): Promise<string> {
  try {
    return stampKey(await lstat(path, { bigint: true }));
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return 'gone';
  }
}

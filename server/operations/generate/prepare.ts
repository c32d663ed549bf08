import { randomInt } from 'node:crypto';
import { isAbsolute, join } from 'node:path';
import type { GenerationRequest } from '../../../shared/generation';
import { engineArguments, type GenerationArguments } from '../../engine/arguments/engine-arguments';
import type { EngineCommand } from '../../engine/arguments/engine-option';
import { askedLoras, isLoraName, loraPaths } from '../../engine/arguments/lora-files';
import { modeOf } from '../../engine/arguments/mode';
import { makeLinkedFolder } from '../../engine/linked-folder';
import type { Scratch } from '../../engine/scratch';
import { entriesOf } from '../../platform/folder-entries';
import type { SoundModel } from './check';

/** Seeds that are drawn lie below this; they are easy to read and to type. */
const SEED_LIMIT = 2 ** 32;

/**
 * The name of the output within the scratch folder; the gallery gives the final one. Its extension makes the engine
 * write that format. Videos that every build can write are AVIs.
 */
export function outputOf(request: GenerationRequest): string {
  return modeOf(request) === 'video' ? 'video.avi' : 'image.png';
}

/** What a run is made of. */
export interface RunParts {
  readonly model: SoundModel;
  /** With every default filled in. */
  readonly request: GenerationRequest;
  readonly seed: number;
  readonly scratch: Scratch;
  /** The user's own folder of LoRAs, an absolute path. */
  readonly loraFolder: string | undefined;
}

/** The seed of a request, or one that is drawn for it. */
export function seedFor({ seed }: GenerationRequest): number {
  return seed ?? randomInt(SEED_LIMIT);
}

/** Puts together what the engine is called with. @throws Failure */
export async function prepareRun(
  parts: RunParts,
  {
    inputs,
    abilities,
    threads,
    rpcServers
  }: Pick<GenerationArguments, 'inputs' | 'abilities' | 'threads' | 'rpcServers'>
): Promise<EngineCommand> {
  const { model, request, seed, scratch } = parts;
  return engineArguments({
    files: model.files,
    request,
    inputs,
    abilities,
    ...(rpcServers && { rpcServers }),
    seed,
    threads,
    output: outputOf(request),
    ...(await loraParts(parts)),
    ...(await embeddingParts(model, scratch))
  });
}

/** The engine sees the LoRAs that the prompts ask for, and no other file of the folders that they lie in. */
async function loraParts({ model, request, scratch, loraFolder }: RunParts) {
  const paths = loraPaths(model.files, await ownLoras(loraFolder));
  const asked = askedLoras([request.prompt, request.negative_prompt ?? ''], paths);
  const loras = new Set(paths.keys());
  if (asked.length === 0) return { loras, loraFolder: scratch.emptyFolder };
  const folder = join(scratch.folder, 'loras');
  await makeLinkedFolder(folder, asked);
  return { loras, loraFolder: folder };
}

/** The LoRAs in the user's own folder: absolute paths. @throws system errors */
export async function ownLoras(folder: string | undefined): Promise<readonly string[]> {
  if (folder === undefined || !isAbsolute(folder)) return [];
  return (await entriesOf(folder)).filter((name) => isLoraName(name)).map((name) => join(folder, name));
}

/** The engine tries every file in the folder as an embedding. */
async function embeddingParts({ files }: SoundModel, scratch: Scratch) {
  const embeddings = files.filter(({ role }) => role === 'embedding').map(({ path }) => path);
  if (embeddings.length === 0) return {};
  const embeddingFolder = join(scratch.folder, 'embeddings');
  await makeLinkedFolder(embeddingFolder, embeddings);
  return { embeddingFolder };
}

import { basename, parse } from 'node:path';
import { Failure } from '../../../shared/failure';
import type { EngineFile } from './engine-file';
import { lorasIn } from './prompt';

/** The names that sd-cli completes the name of a LoRA with. */
const EXTENSIONS = new Set(['.safetensors', '.ckpt', '.pt', '.gguf']);

/** Whether a file in a folder of LoRAs is one that a prompt can name. */
export function isLoraName(name: string): boolean {
  return EXTENSIONS.has(parse(name).ext);
}

/**
 * The LoRAs that prompts may name: those of the model, then the user's own.
 * @param own absolute paths
 * @returns paths by the names that tags have
 * @throws Failure('bad-request') when two LoRAs of the model have one name
 */
export function loraPaths(files: readonly EngineFile[], own: readonly string[]): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const { role, path } of files) {
    if (role !== 'lora') continue;
    const { name } = parse(path);
    if (paths.has(name)) {
      throw new Failure('bad-request', `The model has two LoRAs with the name ${name}.`, {
        subject: basename(path),
        nextStep: 'Give one of them another name in the manifest.'
      });
    }
    paths.set(name, path);
  }
  for (const path of own) if (!paths.has(parse(path).name)) paths.set(parse(path).name, path);
  return paths;
}

/** The files of the LoRAs that texts ask for, each once; what is not there is left out. */
export function askedLoras(texts: readonly string[], paths: ReadonlyMap<string, string>): readonly string[] {
  const names = new Set(texts.flatMap((text) => lorasIn(text)));
  return [...names].flatMap((name) => paths.get(name) ?? []);
}

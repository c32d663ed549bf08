import { isShardIndexName } from './headers/shard-index';

const PICKLES = ['.ckpt', '.pt', '.pth', '.pkl', '.pickle'];

/** What names of files with weights end in. `.bin` may be anything, and in a model is mostly a pickle. */
export const WEIGHTS_ENDINGS: readonly string[] = ['.safetensors', '.sft', '.gguf', ...PICKLES, '.bin'];

/** Whether a file is called as pickles are, and as nothing else is. */
export function isPickleName(path: string): boolean {
  return endsIn(PICKLES, path);
}

/** Whether a file is called as files with weights are. */
export function isWeightsName(path: string): boolean {
  return endsIn(WEIGHTS_ENDINGS, path);
}

/** Whether a file is called as those that say what weights are: files with weights, and what lists several of them. */
export function isHeaderName(path: string): boolean {
  return isWeightsName(path) || isShardIndexName(path);
}

function endsIn(endings: readonly string[], path: string): boolean {
  const name = path.toLowerCase();
  return endings.some((ending) => name.endsWith(ending));
}

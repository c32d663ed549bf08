/** Endings of files that Python's pickle wrote. `.bin` is anything. */
const PICKLE_NAME = /\.(ckpt|pt|pth|pkl|pickle)$/i;

const WEIGHTS_NAME = /\.(safetensors|sft|gguf|safetensors\.index\.json)$/i;

/** Whether a file is called as pickles are. */
export function isPickleName(path: string): boolean {
  return PICKLE_NAME.test(path);
}

/** Whether a file is called as files with weights are. */
export function isWeightsName(path: string): boolean {
  return WEIGHTS_NAME.test(path) || isPickleName(path);
}

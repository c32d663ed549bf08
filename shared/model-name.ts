import { collisionKey, fileNameProblem } from './file-name';

declare const modelName: unique symbol;

/** The name of a model, usable as a folder name everywhere. Made only by {@link parseModelName}. */
export type ModelName = string & { readonly [modelName]: true };

/** The longest model name, in characters. */
const LONGEST_MODEL_NAME = 128;

function isModelName(text: string): text is ModelName {
  return modelNameProblem(text) === undefined;
}

/**
 * Why a text cannot name a model.
 * @returns a predicate that completes a sentence which begins with the name, or undefined when the name is good
 */
export function modelNameProblem(text: string): string | undefined {
  if (text.length > LONGEST_MODEL_NAME) return `is longer than ${LONGEST_MODEL_NAME} characters`;
  const problem = fileNameProblem(text);
  if (problem) return problem.reason;
  return /^[A-Za-z0-9._-]+$/.test(text) ? undefined : 'may hold only letters, digits, dots, underscores and hyphens';
}

/** Reads a model name; undefined when {@link modelNameProblem} finds something. */
export function parseModelName(text: string): ModelName | undefined {
  return isModelName(text) ? text : undefined;
}

/** Model names are unique without regard to case; equal keys mean the same model. */
export function modelKey(name: ModelName): string {
  return collisionKey(name);
}

import { basename } from 'node:path';
import { Failure } from '../../../shared/failure';
import type { WeightType } from '../../../shared/weight-types';
import type { EngineFile } from '../../engine/arguments/engine-file';
import type { WeightsDescription } from '../../weights/describe';
import type { WeightsReading } from '../weights/weights-library';

/**
 * Checks by its header that a file which the engine wrote is what was asked for: whole, the same model, stored as said.
 * A conversion that was cut short leaves a file of the right length behind, so its exit status counts besides.
 * @param original what was converted
 * @throws Failure('engine-failed')
 */
export function requireConverted(original: EngineFile, reading: WeightsReading, { name }: WeightType): void {
  if (reading.kind === 'refused') {
    const sentence = `What sd-cli made of ${basename(original.path)} is damaged: ${reading.failure.message}`;
    throw failed(sentence, 'The disk may be full. Free some space, then try again.', reading.failure);
  }
  const { description } = reading;
  if (description.format !== 'gguf' || !isSameModel(original.weights, description)) {
    throw failed(
      `What sd-cli made of ${basename(original.path)} is not the same model any more.`,
      'This build of sd-cli may not know the model; a newer one may.'
    );
  }
  if (description.types.some(({ dtype }) => dtype.toLowerCase() === name.toLowerCase())) return;
  throw failed(
    `Nothing of ${basename(original.path)} can be stored as ${name}: its tensors do not have the right widths.`,
    'Choose another type; q8_0, q5_0 and q4_0 fit most models.'
  );
}

/** Of a pickle nobody read what it is; then it has to be something at least. */
function isSameModel(original: WeightsDescription | undefined, converted: WeightsDescription): boolean {
  if (original?.component === undefined) return converted.component !== undefined || original?.parts.length === 0;
  return original.component === converted.component && original.family === converted.family;
}

function failed(sentence: string, nextStep: string, cause?: Failure): Failure {
  return new Failure('engine-failed', sentence, { nextStep, cause });
}

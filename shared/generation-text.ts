import { durationText } from './byte-text';
import type { GenerationPhase, GenerationProgress, ModelPart, QueuePlace } from './job-events';

const PHASES: Readonly<Record<GenerationPhase, string>> = {
  waiting: 'waiting',
  starting: 'starting sd-cli',
  loading: 'loading the model',
  encoding: 'reading the prompt',
  sampling: 'sampling',
  decoding: 'decoding the image',
  enlarging: 'enlarging the image',
  converting: 'converting the model',
  installing: 'installing the model',
  saving: 'saving the image'
};

const PARTS: Readonly<Record<ModelPart, string>> = {
  'text-encoder': 'text encoder',
  'image-encoder': 'image encoder',
  'diffusion-model': 'diffusion model',
  'image-decoder': 'image decoder',
  lora: 'LoRA',
  'upscale-model': 'model for enlarging'
};

/** Where a run of the engine is, in a few words: "step 3/20", "loading the text encoder 40 %". */
export function briefText(progress: GenerationProgress): string {
  const { phase, step, steps, tile, tiles, part, loaded, queue, image, images } = progress;
  if (queue) return queueText({ position: queue.position });
  if (phase === 'sampling' && step !== undefined && steps !== undefined) {
    return images > 1 ? `image ${image}/${images} step ${step}/${steps}` : `step ${step}/${steps}`;
  }
  if (tile !== undefined && tiles !== undefined) return `${PHASES[phase]} ${tile}/${tiles}`;
  const what = part === undefined ? PHASES[phase] : `loading the ${PARTS[part]}`;
  return loaded === undefined ? what : `${what} ${Math.floor(loaded * 100)} %`;
}

/** The same with all that is known: which image, which pass, the pace, and what is left. */
export function detailText(progress: GenerationProgress): string {
  const { phase, step, steps, secondsPerStep, pass, passes, tile, tiles, image, images, secondsLeft, queue } = progress;
  if (queue) return queueText(queue);
  const isSampling = phase === 'sampling' && step !== undefined;
  const parts = [
    isSampling ? `step ${step} of ${steps}` : briefText({ ...progress, images: 1 }),
    ...(isSampling && passes !== undefined ? [`pass ${pass} of ${passes}`] : []),
    ...(images > 1 && (isSampling || phase === 'decoding') ? [`image ${image} of ${images}`] : []),
    ...(isSampling && secondsPerStep !== undefined ? [`${secondsPerStep.toFixed(2)} s a step`] : []),
    ...(secondsLeft !== undefined && (isSampling || tile !== tiles) ? [`${durationText(secondsLeft)} left`] : [])
  ];
  return parts.join(', ');
}

function queueText({ position, behind }: QueuePlace): string {
  const place = `${ordinal(position)} in the queue`;
  return behind === undefined ? place : `${place} behind ${behind}`;
}

function ordinal(number: number): string {
  const isTeen = number % 100 >= 11 && number % 100 <= 13;
  const ending = isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th');
  return `${number}${ending}`;
}

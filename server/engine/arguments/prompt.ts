import { Failure } from '../../../shared/failure';

/** The longest text in bytes of UTF-8: Linux takes 128 KiB for one argument. */
const LONGEST_TEXT_BYTES = 100_000;

/**
 * A LoRA tag as sd-cli reads it: name, then weight. The mark names the model for the noisy steps. One without a weight,
 * or with one that is no number, sd-cli passes over without a word.
 */
const LORA_TAG = /<lora:(\|high_noise\|)?([^:>]*)(?::([^>]*))?>/y;

/** What LoRA tags may say. */
export interface AllowedTags {
  /** File names of LoRAs without their extensions. */
  readonly loras: ReadonlySet<string>;
  /** Whether there is a model for the noisy steps. */
  readonly hasHighNoise: boolean;
}

/**
 * Makes sure that a text can be passed to the engine.
 * @throws Failure 'bad-request' that names the field
 */
export function checkText(field: string, text: string): void {
  if (text.includes('\0')) {
    throw new Failure('bad-request', `The ${words(field)} contains a NUL character.`, {
      subject: field,
      nextStep: 'Remove it.'
    });
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > LONGEST_TEXT_BYTES) {
    throw new Failure(
      'bad-request',
      `The ${words(field)} is ${bytes} bytes long; ${LONGEST_TEXT_BYTES} are possible.`,
      {
        subject: field,
        nextStep: 'Shorten it.'
      }
    );
  }
}

/** The names of the LoRAs that a prompt asks for, however its tags are written otherwise. */
export function lorasIn(text: string): string[] {
  return [...text.matchAll(/<lora:/gi)].flatMap(({ index }) => tagAt(text, index)?.name ?? []);
}

/**
 * Makes sure that every LoRA tag of a prompt names a LoRA that it may. sd-cli joins the name to its folder and
 * opens what it finds, so a name with a path in it would reach any file of the user's.
 * @throws Failure 'bad-request' that names the field
 */
export function checkLoraTags(field: string, text: string, { loras, hasHighNoise }: AllowedTags): void {
  for (const { index } of text.matchAll(/<lora:/gi)) {
    const found = tagAt(text, index);
    const isThere = found && loras.has(found.name) && (hasHighNoise || !found.isHighNoise);
    if (isThere && found.hasWeight) continue;
    const tag = text.slice(index, index + 80);
    throw isThere ? withoutWeight(field, found.name, tag) : notThere(field, tag, loras);
  }
}

function withoutWeight(field: string, name: string, tag: string): Failure {
  return new Failure('bad-request', `The ${words(field)} asks for a LoRA without the number that weighs it: ${tag}`, {
    subject: field,
    nextStep: `Write for example <lora:${name}:1>.`
  });
}

function notThere(field: string, tag: string, loras: AllowedTags['loras']): Failure {
  const known = [...loras].toSorted().join(', ');
  return new Failure('bad-request', `The ${words(field)} asks for a LoRA that is not there: ${tag}`, {
    subject: field,
    nextStep: loras.size === 0 ? 'Remove the tag: there is no LoRA for this model.' : `There are: ${known}.`
  });
}

interface LoraTag {
  readonly name: string;
  readonly isHighNoise: boolean;
  readonly hasWeight: boolean;
}

function tagAt(text: string, index: number): LoraTag | undefined {
  LORA_TAG.lastIndex = index;
  const [, mark, name, weight = ''] = LORA_TAG.exec(text) ?? [];
  if (name === undefined) return undefined;
  return { name, isHighNoise: mark !== undefined, hasWeight: Number.isFinite(Number.parseFloat(weight)) };
}

function words(field: string): string {
  return field.replaceAll('_', ' ');
}

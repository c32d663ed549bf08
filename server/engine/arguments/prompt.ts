import { Failure } from '../../../shared/failure';

/** The longest text in bytes of UTF-8: Linux takes 128 KiB for one argument. */
const LONGEST_TEXT_BYTES = 100_000;

/** A LoRA tag as sd-cli reads it: name, then weight. */
const LORA_TAG = /<lora:([^:>]*):[^>]*>/y;

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

/**
 * Makes sure that every LoRA tag of a prompt names a LoRA of the model. sd-cli joins the name to its folder and
 * opens what it finds, so a name with a path in it would reach any file of the user's.
 * @param loras file names of the model's LoRAs without their extensions
 * @throws Failure 'bad-request' that names the field
 */
export function checkLoraTags(field: string, text: string, loras: ReadonlySet<string>): void {
  for (const { index } of text.matchAll(/<lora:/gi)) {
    LORA_TAG.lastIndex = index;
    const name = LORA_TAG.exec(text)?.[1];
    if (name !== undefined && loras.has(name)) continue;
    const tag = text.slice(index, index + 80);
    const nextStep =
      loras.size === 0
        ? 'Remove the tag: this model has no LoRA.'
        : `The model has: ${[...loras].toSorted().join(', ')}.`;
    throw new Failure('bad-request', `The ${words(field)} asks for a LoRA that the model does not have: ${tag}`, {
      subject: field,
      nextStep
    });
  }
}

function words(field: string): string {
  return field.replaceAll('_', ' ');
}

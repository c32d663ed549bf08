import { basename } from 'node:path';
import type { EngineProgram } from './program';

/** What a line of the engine means for the user. */
export interface Sighting {
  readonly sentence: string;
  readonly subject?: string;
  readonly nextStep: string;
  /** Set when a file of the model is damaged or gone, so that healing helps. */
  readonly isDamage?: true;
  /** Set when the program is at fault, or what it was told: another one may do it with the same model. */
  readonly isOfProgram?: true;
}

/** A line of the engine by which a failure is known. */
export interface Symptom {
  readonly pattern: RegExp;
  readonly explain: (match: RegExpExecArray, program: EngineProgram) => Sighting;
}

const HEAL = 'Heal the model: what is damaged is fetched again.';
const VERIFY = 'Verify the model, and correct its manifest if nothing is damaged.';
const CORRECT = 'Correct the value in the request or in the defaults of the manifest.';
const SMALLER = 'Choose a smaller image or a smaller model, or close other programs.';

/**
 * Symptoms by how much they tell: the engine goes on after most faults, so a run shows several, and the one that
 * caused the others comes first here. Patterns were taken from recordings of build master-827-97d2990; those about libraries
 * and graphics cards are the words of the systems' loaders and of CUDA and Vulkan.
 */
export const SYMPTOMS: readonly Symptom[] = [
  {
    pattern: /failed to allocate|insufficient memory|std::bad_alloc|out of memory|OutOf(Device|Host)Memory/i,
    explain: () => ({ sentence: 'There is not enough memory for this image with this model.', nextStep: SMALLER })
  },
  {
    pattern: /the number of channels for the input image must be >= 3/,
    explain: () => ({ sentence: 'The input image is greyscale.', nextStep: 'Convert it to colour, then try again.' })
  },
  {
    pattern: /unknown argument: (\S+)/,
    explain: ([, option = ''], program) => ({
      sentence: `This ${program} does not know the option ${option}.`,
      subject: option,
      nextStep: `Install a newer ${program}.`,
      isOfProgram: true
    })
  },
  {
    pattern: /error: invalid sample method (\S+)/,
    explain: ([, name = ''], program) => ({
      sentence: `This ${program} does not know the sampling method "${name}".`,
      subject: name,
      nextStep: 'Choose another one.',
      isOfProgram: true
    })
  },
  {
    pattern: /invalid parameter for argument: (\S+)/,
    explain: ([, option = ''], program) => ({
      sentence: `${program} does not accept the value of ${option}.`,
      subject: option,
      nextStep: CORRECT,
      isOfProgram: true
    })
  },
  {
    pattern: /terminate called after throwing an instance of 'std::(?:invalid_argument|out_of_range)'/,
    explain: (_, program) => ({
      sentence: `${program} cannot read one of the numbers that it was given.`,
      nextStep: CORRECT,
      isOfProgram: true
    })
  },
  {
    pattern: /error while loading shared libraries: ([^:]+)|Library not loaded: (\S+)/,
    explain: ([, linux, mac], program) => ({
      sentence: `The library ${basename(linux ?? mac ?? '')} that ${program} needs is missing.`,
      subject: linux ?? mac ?? '',
      nextStep: `Install ${program} anew, with all files of its archive in one folder.`,
      isOfProgram: true
    })
  },
  {
    pattern: /no kernel image is available for execution on the device/,
    explain: (_, program) => ({
      sentence: `This ${program} was not built for this graphics card.`,
      nextStep: `Install another build of ${program}, for example the one for Vulkan.`,
      isOfProgram: true
    })
  },
  {
    pattern: /backend '(.*)' was not found/,
    explain: ([, backend = ''], program) => ({
      sentence: `This ${program} cannot use the device "${backend}".`,
      subject: backend,
      nextStep: `Install an ${program} that was built for this device.`,
      isOfProgram: true
    })
  },
  {
    pattern: /^file (.+) not found/,
    explain: ([, path = '']) => ({
      sentence: `The file ${basename(path)} is missing.`,
      subject: path,
      nextStep: HEAL,
      isDamage: true
    })
  },
  {
    pattern: /^unknown format (.+)/,
    explain: ([, path = '']) => ({
      sentence: `The file ${basename(path)} does not hold a model.`,
      subject: path,
      nextStep: 'Heal the model. If that changes nothing, its source gives a web page or a pointer file instead.',
      isDamage: true
    })
  },
  {
    pattern: /read tensor data failed: '(.*)'/,
    explain: ([, path = '']) => ({
      sentence: `The file ${basename(path)} is cut off.`,
      subject: path,
      nextStep: HEAL,
      isDamage: true
    })
  },
  {
    pattern: /data offsets out of bounds for tensor/,
    explain: () => ({ sentence: 'A file of the model is cut off.', nextStep: HEAL, isDamage: true })
  },
  {
    pattern: /^loading [\w ]+ from '(.+)' failed/,
    explain: ([, path = '']) => ({
      sentence: `The file ${basename(path)} is damaged.`,
      subject: path,
      nextStep: HEAL,
      isDamage: true
    })
  },
  {
    pattern: /load image from '(.*)' failed/,
    explain: ([, path = '']) => ({
      sentence: `The image ${basename(path)} cannot be read.`,
      subject: path,
      nextStep: 'Save it as PNG or JPEG, then try again.'
    })
  },
  {
    pattern: /failed to create directory '(.*)': (.*)/,
    explain: ([, path = '', reason = '']) => ({
      sentence: `The folder for the image cannot be made: ${reason}.`,
      subject: path,
      nextStep: 'Check the permissions of the cache folder.'
    })
  },
  {
    pattern: /has wrong shape in model/,
    explain: () => ({
      sentence: 'The files of the model do not belong together.',
      nextStep: 'Check in the manifest that all files are made for the same family of models.'
    })
  },
  {
    pattern: /^(\w[\w ]*?) tensor '.*' not in model metadata/,
    explain: ([, part = '']) => ({
      sentence: `The model has no usable part "${part}".`,
      subject: part,
      nextStep: `${VERIFY} A file with this part may have to be added.`
    })
  },
  {
    pattern: /get sd version from file failed: '(.*)'/,
    explain: ([, path = ''], program) => ({
      sentence: path
        ? `${program} does not recognise ${basename(path)} as a model.`
        : `${program} does not recognise these files as a model.`,
      ...(path ? { subject: path } : {}),
      nextStep: 'Check the roles in the manifest: a LoRA or a VAE alone is no model.',
      // A newer one may know the family.
      isOfProgram: true
    })
  },
  {
    pattern: /failed to open output file '(.*)'/,
    explain: ([, path = '']) => ({
      sentence: `The file ${basename(path)} cannot be written.`,
      subject: path,
      nextStep: 'Check the free space and the permissions of its folder.'
    })
  },
  {
    pattern: /GGML_ASSERT\((.+)\) failed/,
    explain: ([, check = ''], program) => ({
      sentence: `${program} gave up at a check of its own: ${check}.`,
      nextStep: `Look at its last lines. Another version of ${program}, or other settings, may work.`,
      isOfProgram: true
    })
  },
  {
    pattern: /^error: (.+)/,
    explain: ([, reason = ''], program) => ({
      sentence: `${program} refuses the request: ${reason}.`,
      nextStep: CORRECT,
      isOfProgram: true
    })
  }
];

/** What the engine calls parts in its lines, in the words of the field. */
const PART_NAMES: Readonly<Record<string, string>> = { tae: 'TAESD', vae: 'VAE' };

/** Lines of runs that end well, but not quite as they were asked for. */
export const WARNINGS: readonly { readonly pattern: RegExp; readonly explain: (match: RegExpExecArray) => string }[] = [
  {
    pattern: /^can not found lora (.+)/,
    explain: ([, path = '']) => `The LoRA ${basename(path)} was not found and had no effect.`
  },
  {
    pattern: /^load lora tensors from (.+) failed/,
    explain: ([, path = '']) => `The LoRA ${basename(path)} could not be read and had no effect.`
  },
  {
    pattern: /^Only \((\d+) \/ (\d+)\) LoRA tensors have been applied, lora_file_path = (.+)/,
    explain: ([, applied = '', all = '', path = '']) =>
      `The LoRA ${basename(path)} fits this model only in part: ${applied} of ${all} tensors were applied.`
  },
  {
    pattern: /^align generation request up (\d+)x(\d+) to (\d+)x(\d+)/,
    explain: ([, width = '', height = '', ...trueSize]) =>
      `The size was rounded up from ${width} × ${height} to ${trueSize.join(' × ')}.`
  },
  {
    pattern: /^loading (.+) from '(.+)' failed/,
    explain: ([, part = '', path = '']) =>
      `The ${PART_NAMES[part] ?? part} in ${basename(path)} could not be loaded; the model's own was used.`
  },
  {
    pattern: /^new_upscaler_ctx failed/,
    explain: () => 'The model for enlarging could not be loaded; the image has its normal size.'
  },
  {
    pattern: /^save preview image to '.*' failed/,
    explain: () => 'Previews could not be written; the image itself is not affected.'
  },
  {
    pattern: /^inpainting model requires both an init image and a mask image/,
    explain: () => 'This model is made for filling masked parts of an image; it was used without an image.'
  }
];

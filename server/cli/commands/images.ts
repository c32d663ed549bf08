import { resolve } from 'node:path';
import { Failure } from '../../../shared/failure';
import { SHELLS, type Shell } from '../../../shared/shell-quoting';
import type { ListedImage, StoredImage } from '../../gallery/images';
import { commandOfImage } from '../../operations/gallery/command-of-image';
import { deleteImages } from '../../operations/gallery/delete-images';
import { exportImage } from '../../operations/gallery/export-image';
import { findImage } from '../../operations/gallery/find-image';
import { latestImages } from '../../operations/gallery/latest-images';
import type { Command, CommandContext, CommandInput, ExitStatus } from '../command';
import { eachOf } from '../each-of';
import { aboutImage } from '../results/image-text';

/** Digits of an id that lists show; commands take them. */
const SHOWN_DIGITS = 12;

export const images: Command = {
  name: 'images',
  usage: '[list | show ID [--command [--sd-cli] [--shell posix|cmd|powershell]] | export ID… DIR | delete ID…]',
  summary: 'images in the gallery and how they were made; the beginning of an id is enough',
  options: {
    command: { type: 'boolean' },
    'sd-cli': { type: 'boolean' },
    shell: { type: 'string' }
  },
  async run(input, context) {
    const [action = 'list', ...names] = input.names;
    switch (action) {
      case 'list':
        return listImages(names, context);
      case 'show':
        return input.flag('command') ? showCommand(only(names), input, context) : showImage(only(names), context);
      case 'export':
        return exportImages(names, context);
      case 'delete':
        return deleteNamed(names, context);
      default:
        throw new Failure('wrong-usage', `"images" cannot "${action}".`, {
          nextStep: 'It can list, show, export and delete.'
        });
    }
  }
};

async function listImages(names: CommandInput['names'], { services, console }: CommandContext): Promise<ExitStatus> {
  if (names.length > 0) throw new Failure('wrong-usage', '"images list" takes no names.');
  const all = await latestImages(services);
  console.document(
    all.map((entry) =>
      entry.kind === 'whole' ? describe(entry.image) : { id: entry.id, error: entry.failure.toJSON() }
    )
  );
  if (all.length === 0) console.remark('No images yet. Make one: diffusion-dock generate NAME --prompt TEXT');
  for (const entry of all) console.answer(lineOf(entry));
  return 0;
}

async function showImage(prefix: string, { services, console }: CommandContext): Promise<ExitStatus> {
  const image = await findImage(services, prefix);
  console.document(describe(image));
  for (const line of aboutImage(image)) console.answer(line);
  return 0;
}

async function showCommand(
  prefix: string,
  input: CommandInput,
  { services, console }: CommandContext
): Promise<ExitStatus> {
  const image = await findImage(services, prefix);
  const command = await commandOfImage(services, image, {
    program: input.flag('sd-cli') ? 'sd-cli' : 'diffusion-dock',
    shell: shellOf(input)
  });
  console.document({ id: image.id, command });
  if (!console.json) console.text(`${command}\n`);
  return 0;
}

/** @throws Failure('wrong-usage') */
function shellOf(input: CommandInput): Shell {
  const given = input.text('shell') ?? (process.platform === 'win32' ? 'powershell' : 'posix');
  const shell = SHELLS.find((known) => known === given);
  if (shell) return shell;
  throw new Failure('wrong-usage', `There is no shell "${given}".`, { nextStep: `Known are: ${SHELLS.join(', ')}.` });
}

async function exportImages(names: CommandInput['names'], context: CommandContext): Promise<ExitStatus> {
  const [folder, ids] = [names.at(-1), names.slice(0, -1)];
  if (folder === undefined || ids.length === 0) throw new Failure('wrong-usage', 'Name an image and a folder.');
  const { services, console } = context;
  const exported: unknown[] = [];
  const status = await eachOf(ids, console, {
    async job(id) {
      const image = await exportImage(services, id, resolve(context.folder, folder));
      exported.push(image);
      console.answer(image.path);
      return 0;
    },
    onFailed: (id, failure) => exported.push({ id, error: failure.toJSON() })
  });
  console.document(exported);
  return status;
}

async function deleteNamed(names: CommandInput['names'], { services, console }: CommandContext): Promise<ExitStatus> {
  if (names.length === 0) throw new Failure('wrong-usage', 'Name the images to delete.');
  const deleted: string[] = [];
  const failed: unknown[] = [];
  const status = await deleteImages(services, (deleteImage) =>
    eachOf(names, console, {
      async job(name) {
        const id = await deleteImage(name);
        deleted.push(id);
        console.answer(`${id}: deleted`);
        return 0;
      },
      onFailed: (id, failure) => failed.push({ id, error: failure.toJSON() })
    })
  );
  console.document({ deleted, ...(failed.length > 0 && { failed }) });
  return status;
}

/** Id and path, then all that the description says. */
function describe({ id, path, sidecar }: StoredImage): object {
  return { id, path, ...sidecar };
}

function lineOf(entry: ListedImage): string {
  if (entry.kind === 'broken') return `${entry.id.slice(0, SHOWN_DIGITS)}  ${entry.failure.message}`;
  const { width, height, seed, model, label, created_at_unix_ms } = entry.image.sidecar;
  const made = new Date(created_at_unix_ms).toISOString().slice(0, 16).replace('T', ' ');
  const id = entry.image.id.slice(0, SHOWN_DIGITS);
  return `${id}  ${made}  ${`${width} × ${height}`.padEnd(11)}  seed ${String(seed).padEnd(10)}  ${model.name}  ${oneLine(label)}`;
}

const LONGEST_LABEL = 60;

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > LONGEST_LABEL ? `${line.slice(0, LONGEST_LABEL - 1)}…` : line;
}

/** @throws Failure('wrong-usage') unless there is exactly one */
function only(names: CommandInput['names']): string {
  const [one, ...others] = names;
  if (one !== undefined && others.length === 0) return one;
  throw new Failure('wrong-usage', 'Name exactly one image.');
}

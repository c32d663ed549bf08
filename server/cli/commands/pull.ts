import { resolve } from 'node:path';
import { byteText, durationText } from '../../../shared/byte-text';
import { Failure } from '../../../shared/failure';
import type { FileOrigin, PullEvent } from '../../../shared/job-events';
import type { KnownModel } from '../../operations/models/known-models';
import { isFolderModel, type LocalFiles, localFiles, modelFromFolder } from '../../operations/pull/folder-model';
import { planModel, pullModel } from '../../operations/pull/pull-model';
import type { PullPlan } from '../../pull/pull-plan';
import type { Command, CommandContext } from '../command';
import type { Console } from '../console';
import { eachOf } from '../each-of';
import { CREDENTIAL_OPTION } from '../options/credential-option';
import { LIMIT_OPTIONS, limitsOf } from '../options/limit-options';
import { modelOf, newOrKnown, onlyArgument } from '../options/model-arguments';

export const pull: Command = {
  name: 'pull',
  usage: 'NAME|MANIFEST… [--from DIR] [--dry-run] [--credential ALIAS] [--rate-limit BYTES[k|M|G]] [--connections N]',
  summary: 'fetches the files of models, proves and installs them',
  options: { 'dry-run': { type: 'boolean' }, from: { type: 'string' }, ...CREDENTIAL_OPTION, ...LIMIT_OPTIONS },
  async run(input, context) {
    if (input.names.length === 0) throw new Failure('wrong-usage', 'Name a model or a manifest file to pull.');
    const { services, console, signal } = context;
    services.limits.change(limitsOf(input));
    const folder = input.text('from');
    const credentialAlias = input.text('credential');
    if (folder !== undefined) onlyArgument(input, 'model to take from a folder');
    return eachOf(input.names, console, {
      async job(argument) {
        const { model, from } = await (folder === undefined
          ? fromAddresses(argument, context)
          : fromFolder(argument, folder, context));
        const options = { from, credentialAlias, onEvent: (event: PullEvent) => showPullEvent(event, console) };
        if (input.flag('dry-run')) showPlan(model.name, await planModel(services, model, signal, options), console);
        else await pullModel(services, model, { signal, ...options });
        return 0;
      },
      onFailed: (argument, failure) => console.document({ argument, error: failure.toJSON() })
    });
  }
};

/** A model to pull, and where its files are taken from when not from their addresses. */
interface Order {
  readonly model: KnownModel;
  readonly from?: LocalFiles;
}

async function fromAddresses(argument: string, context: CommandContext): Promise<Order> {
  return { model: await modelOf(argument, context) };
}

/** A known model or a manifest says which files of the folder are meant; under a new name all of them are a model. */
async function fromFolder(argument: string, named: string, context: CommandContext): Promise<Order> {
  const { signal } = context;
  const folder = resolve(context.folder, named);
  const found = await newOrKnown(argument, context);
  if (found.kind === 'new' || isFolderModel(found.model)) {
    const name = found.kind === 'new' ? found.name : found.model.name;
    return { model: await modelFromFolder(name, folder, signal) };
  }
  return { model: found.model, from: await localFiles(found.model.manifest, folder, signal) };
}

function showPlan(model: string, { files, totalBytes, missingBytes, freeBytes }: PullPlan, console: Console): void {
  const facts = files.map(({ filename, likelyBytes, digest, presence, heldBytes, source, candidates }) => {
    const adoptable = candidates.map(({ path }) => path);
    return { filename, source: source.label, bytes: likelyBytes, digest, presence, heldBytes, adoptable };
  });
  console.document({ model, totalBytes, missingBytes, freeBytes: freeBytes ?? null, files: facts });
  for (const { filename, bytes, presence, heldBytes, adoptable } of facts) {
    const size = bytes === null ? 'size unknown' : byteText(bytes);
    const here = {
      stored: ', already here',
      local: ', to be copied from this machine',
      adoptable: `, to be copied if it is the same: ${adoptable[0] ?? ''}`,
      partial: `, ${byteText(heldBytes)} of it here`,
      absent: ''
    }[presence];
    console.answer(`  ${filename}  ${size}${here}`);
  }
  const space = freeBytes === undefined ? '' : `, ${byteText(freeBytes)} free`;
  console.answer(`${model}: ${byteText(missingBytes)} to transfer${space}`);
}

/** How a file came here, told with the amount that was transferred. */
const ORIGINS: Readonly<Record<FileOrigin, (transferred: string) => string>> = {
  transferred: () => 'transferred',
  resumed: () => 'resumed',
  stored: () => 'already here',
  adopted: () => 'copied from this machine',
  repaired: (transferred) => `repaired with ${transferred}`
};

/** Tells what happens during a pull: remarks and a line of progress, or an object a line. */
export function showPullEvent(event: PullEvent, console: Console): void {
  console.document(event);
  switch (event.type) {
    case 'started': {
      const size = event.bytes === null ? 'of unknown size' : byteText(event.bytes);
      console.remark(`${event.model}: ${event.files} ${event.files === 1 ? 'file' : 'files'}, ${size}`);
      return;
    }
    case 'file_progress':
      console.progress(progressLine(event));
      return;
    case 'waiting':
      console.remark(`  waiting ${durationText(event.seconds)} for ${event.host}, which asked for that`);
      return;
    case 'file_checking': {
      const of = event.fileBytes === null ? '' : ` of ${byteText(event.fileBytes)}`;
      console.progress(`  ${event.filename}  ${byteText(event.checkedBytes)}${of} checked`);
      return;
    }
    case 'file_completed': {
      const how = ORIGINS[event.origin](byteText(event.transferredBytes));
      console.remark(`  ${event.index}/${event.files} ${event.filename}  ${byteText(event.bytes)}, ${how}`);
      return;
    }
    case 'completed':
      console.answer(
        `${event.model}: installed, ${byteText(event.bytes)} in ${durationText(event.milliseconds / 1000)}`
      );
      return;
    case 'file_started':
    case 'paused':
    case 'resumed':
    case 'failed':
  }
}

function progressLine(event: Extract<PullEvent, { type: 'file_progress' }>): string {
  const { totalReceivedBytes, totalBytes, bytesPerSecond, secondsLeft } = event;
  const share =
    totalBytes === null || totalBytes === 0 ? '' : ` ${Math.floor((totalReceivedBytes / totalBytes) * 100)} %`;
  const of = totalBytes === null ? '' : ` of ${byteText(totalBytes)}`;
  const rate = bytesPerSecond === null ? '' : `, ${byteText(bytesPerSecond)}/s`;
  const left = secondsLeft === null ? '' : `, ${durationText(secondsLeft)} left`;
  return `  ${event.filename}${share}  ${byteText(totalReceivedBytes)}${of}${rate}${left}`;
}

import { byteText } from '../../shared/byte-text';
import type { PlannedPull, PlannedPullFile } from '../../shared/planned-pull';

/** The question before a pull that transfers much. */
export function planQuestion({ model, missingBytes, files }: PlannedPull): string {
  if (isOpen(files)) return `Pull ${model} although not every size is known?`;
  return `Pull ${model}? ${byteText(missingBytes)} are to be transferred.`;
}

/** What a pull would do, a line each: files, what is here, room, where it goes. */
export function planFacts(plan: PlannedPull): string[] {
  const { files, totalBytes, missingBytes, neededBytes, freeBytes, folder } = plan;
  const counted = `${files.length} ${files.length === 1 ? 'file' : 'files'}`;
  const size = totalBytes === null ? 'of unknown size' : byteText(totalBytes);
  const missing = `${byteText(missingBytes)}${isOpen(files) ? ' at least' : ''}`;
  const held = [
    heldText('already here', 'stored', files),
    heldText('partly here', 'partial', files),
    heldText('to be copied from this machine', 'local', files),
    heldText('to be copied from this machine, if it is the same', 'adoptable', files)
  ].flat();
  const after = Math.max(0, (freeBytes ?? 0) - neededBytes);
  const space = freeBytes === null ? 'unknown' : `${byteText(freeBytes)} now, ${byteText(after)} after the pull`;
  return [
    `Files: ${counted}, ${size}`,
    `To transfer: ${missing}${held.length > 0 ? ` (${held.join('; ')})` : ''}`,
    `Free space: ${space}`,
    `Goes to: ${folder}`
  ];
}

/** A whole plan as a text to read: the facts, then each file. */
export function planDocument(plan: PlannedPull): string {
  const title = `Pull plan of ${plan.model}`;
  const verdict = [
    ...(needsNothing(plan) ? ['Nothing is to be transferred or copied: every file is here.'] : []),
    ...(plan.fits ? [] : ['There is not enough room for it: 1 GiB has to stay free.'])
  ];
  const files = plan.files.flatMap((file) => [`  ${file.path}`, `    ${fileText(file)}`, `    ${file.source}`, '']);
  return [title, '='.repeat(title.length), '', ...planFacts(plan), ...verdict, '', 'Files', '-----', '', ...files].join(
    '\n'
  );
}

/** Whether a pull would find everything here. */
function needsNothing({ files }: PlannedPull): boolean {
  return files.every(({ presence }) => presence === 'stored');
}

function fileText({ bytes, presence, heldBytes }: PlannedPullFile): string {
  const size = bytes === null ? 'size unknown' : byteText(bytes);
  switch (presence) {
    case 'stored':
      return `${size}, already here`;
    case 'adoptable':
      return `${size}, copied from this machine if it is the same`;
    case 'local':
      return `${size}, to be copied from this machine`;
    case 'partial':
      return `${size}, ${byteText(heldBytes)} of it here`;
    case 'absent':
      return `${size}, to be transferred`;
  }
}

function heldText(words: string, presence: PlannedPullFile['presence'], files: readonly PlannedPullFile[]): string[] {
  const bytes = files.reduce((sum, file) => sum + (file.presence === presence ? file.heldBytes : 0), 0);
  return bytes === 0 ? [] : [`${byteText(bytes)} ${words}`];
}

/** Whether the size of something that has to be transferred is unknown. */
function isOpen(files: readonly PlannedPullFile[]): boolean {
  return files.some(({ bytes }) => bytes === null);
}

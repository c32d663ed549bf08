import { agoText, byteText } from '../../shared/byte-text';
import { type InspectedFile, type Inspection, inspectModel } from '../operations/inspect-model';
import { findModel } from '../operations/known-models';
import type { Command } from './command';
import type { Console } from './console';
import { onlyArgument } from './model-arguments';

export const inspect: Command = {
  name: 'inspect',
  usage: 'NAME',
  summary: 'everything that is known of a model: files, digests, what it takes on the disk, problems',
  options: {},
  async run(input, { services, console }) {
    const inspection = await inspectModel(services, await findModel(services, onlyArgument(input, 'model')));
    console.document(inspection);
    show(inspection, console);
    return 0;
  }
};

function show(inspection: Inspection, console: Console): void {
  const { name, status, reason, footprint, installedFiles, problems } = inspection;
  console.answer(`${name}: ${status}${reason === undefined ? '' : `. ${reason}`}`);
  const facts = [
    ['source', inspection.source],
    ['revision', inspection.revision],
    ['task', inspection.task],
    ['licence', inspection.license],
    ['manifest', inspection.manifestUri],
    ['folder', inspection.folder]
  ] as const;
  for (const [label, value] of facts) if (value) console.answer(`  ${label.padEnd(9)} ${value}`);
  if (installedFiles.length > 0) {
    const { bytes, sharedBytes } = footprint;
    const shared = sharedBytes === 0 ? '' : `, ${byteText(sharedBytes)} of it shared with other models`;
    console.answer(`  on disk   ${byteText(bytes)}${shared}`);
  }
  for (const file of installedFiles) showFile(file, console);
  for (const problem of problems) console.answer(`  ${console.paint('red', 'problem')}   ${problem}`);
}

function showFile(file: InspectedFile, console: Console): void {
  const { path, role, bytes, sha256, digestOrigin, provedAt, sharedWith } = file;
  console.answer(`  ${path}  ${[role, byteText(bytes)].filter(Boolean).join(', ')}`);
  const origin = digestOrigin === 'observed' ? ', as it arrived; nobody declared it' : '';
  console.answer(`    sha256 ${sha256}${origin}`);
  if (provedAt !== undefined) console.answer(`    read and found right ${agoText(provedAt, Date.now())}`);
  if (sharedWith.length > 0) console.answer(`    shared with ${sharedWith.join(', ')}`);
}

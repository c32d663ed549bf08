import { resolve } from 'node:path';
import { agoText, byteText } from '../../../shared/byte-text';
import { memoryText, roomText } from '../../engine/memory/memory-advice';
import { type InspectedFile, type Inspection, inspectModel } from '../../operations/models/inspect-model';
import { findModel } from '../../operations/models/known-models';
import type { Services } from '../../operations/services';
import { COMPONENT_NAMES } from '../../weights/components';
import type { WeightsDescription } from '../../weights/describe';
import { quoted } from '../../weights/headers/damage';
import { isHeaderName } from '../../weights/weights-name';
import { FORMAT_NAMES, identityText, parametersText, weightsSentence } from '../../weights/weights-text';
import type { Command } from '../command';
import type { Console } from '../console';
import { onlyArgument } from '../options/model-arguments';

export const inspect: Command = {
  name: 'inspect',
  usage: 'NAME|FILE',
  summary: 'everything that is known of a model: files, what they are, what they take, problems; or of one file',
  options: {},
  async run(input, { services, console, folder }) {
    const argument = onlyArgument(input, 'model or file');
    if (isFile(argument)) {
      await inspectFile(resolve(folder, argument), services, console);
      return 0;
    }
    const inspection = await inspectModel(services, await findModel(services, argument));
    console.document(inspection);
    show(inspection, console);
    return 0;
  }
};

/** Models may be called as files are: what is meant is told by a folder before the name. */
function isFile(argument: string): boolean {
  return /[/\\]/.test(argument) || isHeaderName(argument);
}

/** @throws Failure when the file is none that says what it is */
async function inspectFile(path: string, { weights }: Services, console: Console): Promise<void> {
  const reading = await weights.look(path);
  if (reading.kind === 'refused') throw reading.failure;
  const { description } = reading;
  console.document({ path, weights: description });
  console.answer(`${path}: ${identityText(description) ?? 'nobody knows what its tensors are'}`);
  for (const line of weightsLines(description)) console.answer(`  ${line}`);
}

function weightsLines({ format, parameters, types, memoryBytes, parts, hint }: WeightsDescription): string[] {
  if (types.length === 0) return [`format    ${FORMAT_NAMES[format]}`];
  const stored = types.map(({ dtype, bytes }) => `${dtype} ${byteText(bytes)}`);
  const shown = parts.length < 2 ? [] : parts;
  return [
    `format    ${FORMAT_NAMES[format]}`,
    `holds     ${parametersText(parameters)} parameters: ${stored.join(', ')}`,
    `memory    ${byteText(memoryBytes)} for the weights; a run takes more, by the size of its images`,
    ...shown.map((part) => `part      ${COMPONENT_NAMES[part.component]}, ${byteText(part.memoryBytes)} of memory`),
    ...(hint === undefined ? [] : [`says      it is ${quoted(hint)}; a hint of its publisher`])
  ];
}

function show(inspection: Inspection, console: Console): void {
  const { name, status, reason, footprint, installedFiles, problems, run, machine } = inspection;
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
  if (run) console.answer(`  run       ${memoryText(run)}; ${roomText(machine)}`);
  for (const file of installedFiles) showFile(file, console);
  for (const problem of problems) console.answer(`  ${console.paint('red', 'problem')}   ${problem}`);
}

function showFile(file: InspectedFile, console: Console): void {
  const { path, role, bytes, sha256, digestOrigin, provedAt, weights, weightsProblem, sharedWith } = file;
  console.answer(`  ${path}  ${[role, byteText(bytes)].filter(Boolean).join(', ')}`);
  if (weights) console.answer(`    ${weightsSentence(weights)}`);
  if (weightsProblem !== undefined) console.answer(`    ${console.paint('yellow', 'weights')}: ${weightsProblem}`);
  const origin = digestOrigin === 'observed' ? ', as it arrived; nobody declared it' : '';
  console.answer(`    sha256 ${sha256}${origin}`);
  if (provedAt !== undefined) console.answer(`    read and found right ${agoText(provedAt, Date.now())}`);
  if (sharedWith.length > 0) console.answer(`    shared with ${sharedWith.join(', ')}`);
}

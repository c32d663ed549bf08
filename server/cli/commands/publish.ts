import { byteText } from '../../../shared/byte-text';
import type { PublishProgress, PublishResult } from '../../../shared/publication';
import { publishModel } from '../../operations/stores/publish-model';
import type { Command } from '../command';
import type { Console } from '../console';
import { onlyArgument } from '../options/model-arguments';
import { namedStore, STORE_OPTION } from '../options/store-option';

export const publish: Command = {
  name: 'publish',
  usage: 'NAME --store NAME|URL',
  summary: 'verifies an installed model and publishes it to a team store',
  options: STORE_OPTION,
  async run(input, { services, console, signal }) {
    const params = { name: onlyArgument(input, 'model'), store: namedStore(input) };
    const onProgress = (progress: PublishProgress): void => showPublishing(progress, console);
    show(await publishModel(services, params, { signal, onProgress }), console);
    return 0;
  }
};

const PHASES: Readonly<Record<PublishProgress['phase'], string>> = {
  checking: 'checked',
  uploading: 'uploaded',
  copying: 'copied in the store',
  committing: 'there'
};

/** Shows how far a publishing is. */
export function showPublishing(progress: PublishProgress, console: Console): void {
  const { model, phase, bytes, total } = progress;
  console.document(progress);
  console.progress(`  ${model}  ${byteText(bytes)} of ${byteText(total)} ${PHASES[phase]}`);
}

function show(result: PublishResult, console: Console): void {
  const { model, store, combined, bytes, uploadedBytes, copiedBytes, isUnchanged } = result;
  console.document(result);
  const what = isUnchanged ? 'published there already' : `published, ${byteText(bytes)}`;
  console.answer(`${model}: ${what} in ${store}`);
  if (!isUnchanged)
    console.remark(`  ${byteText(uploadedBytes)} uploaded, ${byteText(copiedBytes)} copied in the store`);
  console.remark(`  combined hash ${combined}`);
}

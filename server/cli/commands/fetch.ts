import { resolve } from 'node:path';
import { byteText } from '../../../shared/byte-text';
import { Failure } from '../../../shared/failure';
import { fetchModel } from '../../operations/stores/fetch-model';
import { type FetchResultsParams, fetchResults } from '../../operations/stores/fetch-results';
import type { Command, CommandContext, ExitStatus } from '../command';
import { onlyArgument } from '../options/model-arguments';
import { namedStore, STORE_OPTION } from '../options/store-option';
import { showPullEvent } from './pull';

const REPLACED_ANYWAY = '--replace is for models: with --output, files of the same names are replaced anyway.';

export const fetch: Command = {
  name: 'fetch',
  usage: 'NAME --store NAME|URL [--replace] | NAME --store NAME|URL --output DIR',
  summary:
    'fetches a model that was published to a team store, proves and installs it; results of a batch go to a folder',
  options: { ...STORE_OPTION, replace: { type: 'boolean' }, output: { type: 'string', short: 'o' } },
  async run(input, context) {
    const { services, console, signal } = context;
    const output = input.text('output');
    if (output !== undefined) {
      if (input.flag('replace')) throw new Failure('wrong-usage', REPLACED_ANYWAY);
      const folder = resolve(context.folder, output);
      return toFolder({ name: onlyArgument(input, 'publication'), store: namedStore(input), folder }, context);
    }
    const params = {
      name: onlyArgument(input, 'model'),
      store: namedStore(input),
      replace: input.flag('replace')
    };
    const { likelyRoles, ...result } = await fetchModel(services, params, {
      signal,
      onEvent: (event) => showPullEvent(event, console)
    });
    console.document({ ...result, likelyRoles });
    for (const { path, role } of likelyRoles) {
      console.remark(`  ${path}  has the role “${role}” by its header, for the publication names none; check it`);
    }
    return 0;
  }
};

async function toFolder(
  params: FetchResultsParams,
  { services, console, signal }: CommandContext
): Promise<ExitStatus> {
  const onProgress = (files: number, total: number): void => console.progress(`  ${files} of ${total} files`);
  const result = await fetchResults(services, params, { signal, onProgress });
  const { name, folder, files, bytes } = result;
  console.document(result);
  console.answer(`${name}: ${files} ${files === 1 ? 'file' : 'files'}, ${byteText(bytes)}, in ${folder}`);
  return 0;
}

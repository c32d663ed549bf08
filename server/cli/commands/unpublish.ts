import { unpublishModel } from '../../operations/stores/unpublish-model';
import type { Command } from '../command';
import { onlyArgument } from '../options/model-arguments';
import { namedStore, STORE_OPTION } from '../options/store-option';

export const unpublish: Command = {
  name: 'unpublish',
  usage: 'NAME --store NAME|URL',
  summary: 'removes a publication from a team store; what is installed anywhere stays',
  options: STORE_OPTION,
  async run(input, { services, console, signal }) {
    const params = { name: onlyArgument(input, 'publication'), store: namedStore(input) };
    const result = await unpublishModel(services, params, { signal });
    const { model, store, wasPublished, objects } = result;
    console.document(result);
    const removed = `${objects} object${objects === 1 ? '' : 's'} removed`;
    console.answer(`${model}: ${wasPublished ? removed : `not published (${removed})`} in ${store}`);
    return 0;
  }
};

import { fetchModel } from '../operations/stores/fetch-model';
import type { Command } from './command';
import { onlyArgument } from './model-arguments';
import { showPullEvent } from './pull';
import { namedStore, STORE_OPTION } from './store-option';

export const fetch: Command = {
  name: 'fetch',
  usage: 'NAME --store NAME|URL [--replace]',
  summary: 'fetches a model that was published to a team store, proves and installs it',
  options: { ...STORE_OPTION, replace: { type: 'boolean' } },
  async run(input, { services, console, signal }) {
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

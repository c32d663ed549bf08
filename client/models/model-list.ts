import type { ModelSummary } from '../../shared/model';
import { ListModels } from '../../shared/protocol';
import { RememberedAnswer } from '../support/remembered-answer';
import type { ServerConnection } from '../support/server-connection';

/** The models as the server knows them. */
export class ModelList extends RememberedAnswer<readonly ModelSummary[]> {
  constructor(connection: ServerConnection) {
    super(connection, (client) => client.sendRequest(ListModels));
  }
}

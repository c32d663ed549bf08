import type { BatchImage, BatchSummary } from '../../shared/batch';
import { ListBatches, ListBatchImages } from '../../shared/protocol';
import { RememberedAnswer } from '../support/remembered-answer';
import type { ServerConnection } from '../support/server-connection';

/** The batches of this machine as the server knows them. */
export class BatchList extends RememberedAnswer<readonly BatchSummary[]> {
  constructor(private readonly server: ServerConnection) {
    super(server, (client) => client.sendRequest(ListBatches));
  }

  /** The images of a batch that is done. @throws ServerGone, ResponseError */
  async imagesOf({ job, store }: BatchSummary): Promise<readonly BatchImage[]> {
    const client = await this.server.client();
    return client.sendRequest(ListBatchImages, { job, store });
  }
}

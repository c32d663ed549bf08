import type { Connection } from 'vscode-languageserver';
import {
  BatchesChanged,
  BatchProgressed,
  ForgetBatch,
  ListBatches,
  ListBatchImages,
  PullProgressed,
  RunBatch
} from '../../shared/protocol';
import type { BatchEvent } from '../operations/batch/batch-options';
import { forgetBatch, imagesOfBatch } from '../operations/batch/finished-batches';
import { listBatches } from '../operations/batch/list-batches';
import { runBatch } from '../operations/batch/run-batch';
import type { Services } from '../operations/services';
import { guarded } from './guarded';

/**
 * Maps every request about batches onto its operation. A batch is stopped by cancelling the request that runs it.
 * @param modelsChanged called when models may not be what they were
 */
export function serveBatches(connection: Connection, services: Services, modelsChanged: () => void): void {
  const changed = (): void => void connection.sendNotification(BatchesChanged);
  connection.onRequest(ListBatches, (token) =>
    guarded('list batches', services, () => listBatches(services))(undefined, token)
  );
  connection.onRequest(
    ListBatchImages,
    guarded('list images of batch', services, (batch) => imagesOfBatch(services, batch))
  );
  connection.onRequest(
    ForgetBatch,
    guarded('forget batch', services, async (batch) => {
      await forgetBatch(services, batch);
      changed();
    })
  );
  connection.onRequest(
    RunBatch,
    guarded('batch', services, async (params, signal) => {
      let item = 0;
      const onEvent = (event: BatchEvent): void => {
        if (event.type === 'progress') {
          void connection.sendNotification(BatchProgressed, event.progress);
          // The first one tells that the batch has begun, each other new one that an item is done.
          if (event.progress.item !== item) changed();
          ({ item } = event.progress);
        }
        if (event.type !== 'pull') return;
        void connection.sendNotification(PullProgressed, event.event);
        if (event.event.type === 'completed' || event.event.type === 'failed') modelsChanged();
      };
      try {
        return await runBatch(services, params, { signal, onEvent });
      } finally {
        changed();
      }
    })
  );
}

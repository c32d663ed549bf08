import type { Connection } from 'vscode-languageserver';
import {
  FetchPublication,
  ListStores,
  PublishModel,
  PublishProgressed,
  PullProgressed,
  StoresChanged,
  Unpublish
} from '../../shared/protocol';
import type { Services } from '../operations/services';
import { fetchModel } from '../operations/stores/fetch-model';
import { listStore, listStores } from '../operations/stores/list-stores';
import { publishModel } from '../operations/stores/publish-model';
import { unpublishModel } from '../operations/stores/unpublish-model';
import { guarded } from './guarded';

/**
 * Maps every request about team stores onto its operation.
 * @param modelsChanged called when models may not be what they were
 */
export function serveStores(connection: Connection, services: Services, modelsChanged: () => void): void {
  const storesChanged = (): void => void connection.sendNotification(StoresChanged);
  connection.onRequest(
    ListStores,
    guarded('list stores', services, async ({ store }, signal) =>
      store === undefined ? listStores(services, signal) : [await listStore(services, store, signal)]
    )
  );
  connection.onRequest(
    PublishModel,
    guarded('publish', services, async (params, signal) => {
      try {
        return await publishModel(services, params, {
          signal,
          onProgress: (progress) => void connection.sendNotification(PublishProgressed, progress)
        });
      } finally {
        storesChanged();
      }
    })
  );
  connection.onRequest(
    FetchPublication,
    guarded('fetch', services, async (params, signal) => {
      try {
        return await fetchModel(services, params, {
          signal,
          onEvent: (event) => void connection.sendNotification(PullProgressed, event)
        });
      } finally {
        modelsChanged();
        storesChanged();
      }
    })
  );
  connection.onRequest(
    Unpublish,
    guarded('unpublish', services, async (params, signal) => {
      try {
        return await unpublishModel(services, params, { signal });
      } finally {
        storesChanged();
      }
    })
  );
}

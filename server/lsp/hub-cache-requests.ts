import type { Connection } from 'vscode-languageserver';
import type { HubCacheProgress } from '../../shared/job-events';
import {
  DropFromHubCache,
  HealHubCache,
  HubCacheChanged,
  HubCacheProgressed,
  ListHubCache,
  PruneHubCache,
  VerifyHubCache
} from '../../shared/protocol';
import { dropFromHubCache, pruneHubCache } from '../operations/hub-cache/drop-from-hub-cache';
import { healHubCache } from '../operations/hub-cache/heal-hub-cache';
import { listHubCache } from '../operations/hub-cache/hub-cache';
import { verifyHubCache } from '../operations/hub-cache/verify-hub-cache';
import { HubCacheWatch } from '../operations/hub-cache/watch-hub-cache';
import type { Services } from '../operations/services';
import { guarded } from './guarded';

/** Maps every request about the Hugging Face cache onto its operation. @returns ends the watching */
export function serveHubCache(connection: Connection, services: Services): () => void {
  const watch = new HubCacheWatch(services.log, () => void connection.sendNotification(HubCacheChanged));
  const onProgress = (progress: HubCacheProgress): void =>
    void connection.sendNotification(HubCacheProgressed, progress);
  connection.onRequest(ListHubCache, (token) =>
    guarded('cache list', services, async () => {
      const listing = await listHubCache(services);
      watch.follow(listing);
      return listing;
    })(undefined, token)
  );
  connection.onRequest(
    VerifyHubCache,
    guarded('cache verification', services, ({ references }, signal) =>
      verifyHubCache(services, references, { signal, onProgress })
    )
  );
  connection.onRequest(
    HealHubCache,
    guarded('cache healing', services, ({ references }, signal) =>
      healHubCache(services, references, { signal, onProgress })
    )
  );
  connection.onRequest(
    DropFromHubCache,
    guarded('cache deletion', services, ({ reference, dryRun }) => dropFromHubCache(services, reference, { dryRun }))
  );
  connection.onRequest(
    PruneHubCache,
    guarded('cache pruning', services, ({ references, dryRun }) => pruneHubCache(services, references, { dryRun }))
  );
  return () => watch.close();
}

import type { HubCacheListing, HubCacheReport, HubCacheRevision, HubCacheVerdict } from '../../shared/hub-cache';
import { ListHubCache } from '../../shared/protocol';
import { RememberedAnswer } from '../support/remembered-answer';
import type { ServerConnection } from '../support/server-connection';

/** The Hugging Face cache as the server knows it, with the last verdicts. */
export class CacheList extends RememberedAnswer<HubCacheListing> {
  private readonly verdicts = new Map<string, HubCacheVerdict>();

  constructor(connection: ServerConnection) {
    super(connection, (client) => client.sendRequest(ListHubCache));
  }

  /** Takes over what a verification found. */
  remember(reports: readonly HubCacheReport[]): void {
    for (const { reference, files } of reports) {
      for (const verdict of files) this.verdicts.set(keyOf(reference, verdict.commit, verdict.path), verdict);
    }
    this.invalidate();
  }

  /** Forgets the verdicts on a repository, which was changed. */
  forget(reference: string): void {
    for (const key of this.verdicts.keys()) if (key.startsWith(`${reference}\n`)) this.verdicts.delete(key);
    this.invalidate();
  }

  verdictOn(reference: string, { commit }: HubCacheRevision, path: string): HubCacheVerdict | undefined {
    return this.verdicts.get(keyOf(reference, commit, path));
  }
}

function keyOf(reference: string, commit: string, path: string): string {
  return [reference, commit, path].join('\n');
}

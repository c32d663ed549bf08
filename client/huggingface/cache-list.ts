import { type Disposable, EventEmitter } from 'vscode';
import type { HubCacheListing, HubCacheReport, HubCacheRevision, HubCacheVerdict } from '../../shared/hub-cache';
import { ListHubCache } from '../../shared/protocol';
import type { ServerConnection } from '../support/server-connection';

/** Changes that come in a row are one change. */
const QUIET_MS = 100;

/** The Hugging Face cache as the server knows it, with the last verdicts; asked for when somebody looks. */
export class CacheList implements Disposable {
  private readonly changed = new EventEmitter<void>();
  private readonly verdicts = new Map<string, HubCacheVerdict>();
  private known: Promise<HubCacheListing> | undefined;
  private quiet: NodeJS.Timeout | undefined;

  readonly onDidChange = this.changed.event;

  constructor(private readonly connection: ServerConnection) {}

  /** @throws ServerGone, ResponseError */
  async read(): Promise<HubCacheListing> {
    this.known ??= this.connection.client().then((client) => client.sendRequest(ListHubCache));
    const asked = this.known;
    try {
      return await asked;
    } catch (error) {
      if (this.known === asked) this.known = undefined;
      throw error;
    }
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

  /** Forgets what is known and tells whoever shows it, soon. */
  invalidate(): void {
    this.known = undefined;
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.changed.fire(), QUIET_MS);
  }

  dispose(): void {
    clearTimeout(this.quiet);
    this.changed.dispose();
  }
}

function keyOf(reference: string, commit: string, path: string): string {
  return [reference, commit, path].join('\n');
}

import { type Disposable, EventEmitter } from 'vscode';
import type { ModelSummary } from '../../shared/model';
import { ListModels } from '../../shared/protocol';
import type { ServerConnection } from '../support/server-connection';

/** Changes that come in a row are one change. */
const QUIET_MS = 100;

/** The models as the server knows them; asked for when somebody looks, and again after something changed. */
export class ModelList implements Disposable {
  private readonly changed = new EventEmitter<void>();
  private known: Promise<readonly ModelSummary[]> | undefined;
  private quiet: NodeJS.Timeout | undefined;

  readonly onDidChange = this.changed.event;

  constructor(private readonly connection: ServerConnection) {}

  /** @throws ServerGone, ResponseError */
  async read(): Promise<readonly ModelSummary[]> {
    this.known ??= this.connection.client().then((client) => client.sendRequest(ListModels));
    const asked = this.known;
    try {
      return await asked;
    } catch (error) {
      if (this.known === asked) this.known = undefined;
      throw error;
    }
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

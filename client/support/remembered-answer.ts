import { type Disposable, EventEmitter } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import type { ServerConnection } from './server-connection';

/** Changes that come in a row are one change. */
const QUIET_MS = 100;

/** What the server said; asked for when somebody looks, and again after something changed. */
export class RememberedAnswer<T> implements Disposable {
  private readonly changed = new EventEmitter<void>();
  private known: Promise<T> | undefined;
  private quiet: NodeJS.Timeout | undefined;

  readonly onDidChange = this.changed.event;

  constructor(
    private readonly connection: ServerConnection,
    private readonly ask: (client: LanguageClient) => Promise<T>
  ) {}

  /** @throws ServerGone, ResponseError */
  async read(): Promise<T> {
    this.known ??= this.connection.client().then(this.ask);
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

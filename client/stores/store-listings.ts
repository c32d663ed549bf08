import { type Disposable, EventEmitter } from 'vscode';
import { Failure } from '../../shared/failure';
import { ListStores } from '../../shared/protocol';
import type { Publication } from '../../shared/publication';
import { RememberedAnswer } from '../support/remembered-answer';
import type { ServerConnection } from '../support/server-connection';

/** What team stores hold. Each is asked by itself, when somebody looks into it. */
export class StoreListings implements Disposable {
  private readonly answers = new Map<string, RememberedAnswer<readonly Publication[]>>();
  private readonly changed = new EventEmitter<string>();

  /** Fires with the store's name. */
  readonly onDidChange = this.changed.event;

  constructor(private readonly connection: ServerConnection) {}

  /** @throws Failure, ServerGone, ResponseError */
  read(store: string): Promise<readonly Publication[]> {
    return this.answerOf(store).read();
  }

  /** Forgets what is known of one store, or of all, and tells whoever shows it. */
  invalidate(store?: string): void {
    for (const [name, answer] of this.answers) if (store === undefined || store === name) answer.invalidate();
  }

  dispose(): void {
    for (const answer of this.answers.values()) answer.dispose();
    this.changed.dispose();
  }

  private answerOf(store: string): RememberedAnswer<readonly Publication[]> {
    const known = this.answers.get(store);
    if (known) return known;
    const answer = new RememberedAnswer(this.connection, async (client) => {
      const [listing] = await client.sendRequest(ListStores, { store });
      if (listing?.failure) throw new Failure(listing.failure.code, listing.failure.message, listing.failure);
      return listing?.publications ?? [];
    });
    answer.onDidChange(() => this.changed.fire(store));
    this.answers.set(store, answer);
    return answer;
  }
}

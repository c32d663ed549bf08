import type {
  ListedObject,
  ObjectContent,
  ObjectFacts,
  ObjectStore,
  PutOptions,
  ReadContent,
  ReadOptions
} from '../../../server/artifacts/object-store';
import type { StoreKey } from '../../../server/artifacts/store-key';

/** What somebody gets who works with a store after it stopped. It is no failure, so that nobody tidies up after it. */
export class Stopped extends Error {}

/**
 * A store whose user dies at one of its operations: before it is done, or after it was done and before the user hears
 * of it. Nothing works afterwards.
 */
export class StoppingStore implements ObjectStore {
  readonly label: string;
  private operations = 0;

  constructor(
    private readonly store: ObjectStore,
    private readonly stop: { readonly at: number; readonly when: 'before' | 'after' }
  ) {
    this.label = store.label;
  }

  /** Whether its user was stopped. */
  get isStopped(): boolean {
    return this.operations >= this.stop.at;
  }

  put(key: StoreKey, content: ObjectContent, options: PutOptions): Promise<ObjectFacts> {
    return this.step(() => this.store.put(key, content, options));
  }

  head(key: StoreKey, signal: AbortSignal): Promise<ObjectFacts | undefined> {
    return this.step(() => this.store.head(key, signal));
  }

  read(key: StoreKey, options: ReadOptions): Promise<ReadContent | undefined> {
    return this.step(() => this.store.read(key, options));
  }

  source(key: StoreKey, facts?: ObjectFacts) {
    return this.store.source(key, facts);
  }

  copy(from: StoreKey, to: StoreKey, signal: AbortSignal): Promise<boolean> {
    return this.step(() => this.store.copy(from, to, signal));
  }

  delete(key: StoreKey, signal: AbortSignal): Promise<void> {
    return this.step(() => this.store.delete(key, signal));
  }

  list(below: StoreKey | null, signal: AbortSignal): AsyncIterable<ListedObject> {
    return this.store.list(below, signal);
  }

  readDocument(key: StoreKey, options: ReadOptions): Promise<ReadContent | undefined> {
    return this.step(() => this.store.readDocument(key, options));
  }

  swapDocument(
    key: StoreKey,
    bytes: Uint8Array,
    previous: string | null,
    signal: AbortSignal
  ): Promise<string | undefined> {
    return this.step(() => this.store.swapDocument(key, bytes, previous, signal));
  }

  deleteDocument(key: StoreKey, signal: AbortSignal): Promise<void> {
    return this.step(() => this.store.deleteDocument(key, signal));
  }

  private async step<T>(operation: () => Promise<T>): Promise<T> {
    this.operations += 1;
    const { at, when } = this.stop;
    if (this.operations > at || (this.operations === at && when === 'before')) throw new Stopped();
    const result = await operation();
    if (this.operations >= at) throw new Stopped();
    return result;
  }
}

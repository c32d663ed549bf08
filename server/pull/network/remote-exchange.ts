import { errorOf } from '../../platform/workers/thread-fault';
import { type Body, FileFault, type Landing } from '../partial/landing';
import type { AnswerHead, FromNetwork } from './network-messages';

/** What the network thread tells of one exchange. */
export type Arrival = Exclude<FromNetwork, { readonly type: 'resolve' }>;

/** What a reader of a body hears of. */
type News = Exclude<Arrival, { readonly type: 'answered' | 'sent' }>;

/** What the network thread is told of one exchange. */
export type Order =
  | { readonly type: 'next' | 'halt' | 'cancel' | 'discard' }
  | { readonly type: 'land'; readonly landing: Landing };

export interface ExchangeListeners {
  /** Called once, when nothing more is to be heard. */
  onOver(): void;
  /** Hears how many bytes of the request's body were sent so far. */
  readonly onSent?: ((bytes: number) => void) | undefined;
}

/** An exchange in the network thread, as the main thread sees it. */
export class RemoteExchange {
  /** Rejects when there is no answer. */
  readonly head: Promise<AnswerHead>;
  /** To be read once. */
  readonly body: Body = {
    [Symbol.asyncIterator]: () => this.chunks(),
    land: (landing) => this.land(landing)
  };
  private answer: { resolve(head: AnswerHead): void; reject(error: Error): void } | undefined;
  /** What was told last and is not read yet: after each nothing comes before more is asked for. */
  private arrived: News | undefined;
  private wake: () => void = ignore;
  private isRead = false;
  private isOver = false;

  constructor(
    private readonly tell: (order: Order) => void,
    private readonly signal: AbortSignal,
    private readonly listeners: ExchangeListeners
  ) {
    this.head = new Promise((resolve, reject) => {
      this.answer = { resolve, reject };
    });
    signal.addEventListener('abort', this.abort);
  }

  hear(message: Arrival): void {
    if (message.type === 'sent') {
      if (!this.isOver) this.listeners.onSent?.(message.bytes);
      return;
    }
    if (message.type === 'answered') {
      this.answer?.resolve(message.head);
      this.answer = undefined;
      return;
    }
    this.arrived = message;
    this.wake();
    if (message.type === 'ended' && this.answer) this.giveUp(errorOfEnd(message) ?? new Error(NONE));
  }

  /** Ends the exchange; what was not read is lost. */
  discard(): void {
    if (this.isOver) return;
    this.isOver = true;
    // Its memory belongs to another exchange from now on.
    this.arrived = undefined;
    this.signal.removeEventListener('abort', this.abort);
    this.tell({ type: 'discard' });
    this.wake();
    this.listeners.onOver();
  }

  /** A chunk is the reader's until it asks for the next one. */
  private async *chunks(): AsyncGenerator<Uint8Array> {
    this.isRead = true;
    try {
      for (;;) {
        const news = await this.news();
        if (news.type === 'ended') {
          const error = errorOfEnd(news);
          if (error) throw error;
          return;
        }
        this.arrived = undefined;
        if (news.type === 'chunk') yield news.bytes;
        this.tell({ type: 'next' });
      }
    } finally {
      this.discard();
    }
  }

  private async *land(landing: Landing): AsyncGenerator<number> {
    this.tell({ type: 'land', landing });
    let missing = landing.end - landing.start;
    try {
      for (;;) {
        const news = await this.news();
        if (news.type !== 'landed') return;
        this.arrived = undefined;
        missing -= news.bytes;
        if (news.bytes > 0) yield news.bytes;
        if (missing === 0) return;
        this.tell({ type: 'next' });
      }
    } finally {
      // Whoever closes the file, or gives it away, relies on it.
      if (missing > 0 && this.arrived?.type !== 'ended') {
        this.tell({ type: 'halt' });
        await this.news();
      }
    }
  }

  /** What was told last, once it is told. */
  private async news(): Promise<News> {
    if (!this.arrived && !this.isOver) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    if (!this.arrived) throw new Error('the exchange was given up');
    return this.arrived;
  }

  /** Of a body that is being read, what had arrived is still worth having. */
  private readonly abort = (): void => {
    if (this.isRead) this.tell({ type: 'cancel' });
    else this.giveUp(new Error('the request was cancelled', { cause: this.signal.reason }));
  };

  private giveUp(error: Error): void {
    this.answer?.reject(error);
    this.answer = undefined;
    this.discard();
  }
}

const NONE = 'the exchange ended without an answer';

/** What an exchange ended with, if it did not end well. */
function errorOfEnd({ fault, isOfFile }: News & { readonly type: 'ended' }): Error | undefined {
  const error = fault && errorOf(fault);
  return error && isOfFile ? new FileFault(error) : error;
}

function ignore(): void {}

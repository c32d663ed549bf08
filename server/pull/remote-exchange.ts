import { errorOf } from '../platform/workers/thread-fault';
import type { AnswerHead, FromNetwork } from './network-messages';

/** What the network thread tells of one exchange. */
export type Arrival = Exclude<FromNetwork, { readonly type: 'resolve' }>;

/** What a reader of a body hears of. */
type News = Exclude<Arrival, { readonly type: 'answered' }>;

/** What the network thread is told of one exchange. */
export type Order = 'next' | 'cancel' | 'discard';

/** An exchange in the network thread, as the main thread sees it. */
export class RemoteExchange {
  /** Rejects when there is no answer. */
  readonly head: Promise<AnswerHead>;
  private answer: { resolve(head: AnswerHead): void; reject(error: Error): void } | undefined;
  /** What was told last and is not read yet: after a chunk nothing comes before another is asked for. */
  private arrived: News | undefined;
  private wake: () => void = ignore;
  private isRead = false;
  private isOver = false;

  /** @param onOver called once, when nothing more is to be heard */
  constructor(
    private readonly tell: (order: Order) => void,
    private readonly signal: AbortSignal,
    private readonly onOver: () => void
  ) {
    this.head = new Promise((resolve, reject) => {
      this.answer = { resolve, reject };
    });
    signal.addEventListener('abort', this.abort);
  }

  hear(message: Arrival): void {
    if (message.type === 'answered') {
      this.answer?.resolve(message.head);
      this.answer = undefined;
      return;
    }
    this.arrived = message;
    this.wake();
    if (message.type === 'ended' && this.answer) this.giveUp(message.fault ? errorOf(message.fault) : new Error(NONE));
  }

  /** The body, to be read once. A chunk is the reader's until it asks for the next one. */
  async *body(): AsyncGenerator<Uint8Array> {
    this.isRead = true;
    try {
      for (;;) {
        const news = await this.news();
        if (news.type === 'chunk') yield news.bytes;
        else if (news.fault) throw errorOf(news.fault);
        else return;
        this.tell('next');
      }
    } finally {
      this.discard();
    }
  }

  /** Ends the exchange; what was not read is lost. */
  discard(): void {
    if (this.isOver) return;
    this.isOver = true;
    // Its memory belongs to another exchange from now on.
    this.arrived = undefined;
    this.signal.removeEventListener('abort', this.abort);
    this.tell('discard');
    this.wake();
    this.onOver();
  }

  private async news(): Promise<News> {
    if (!this.arrived && !this.isOver) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const { arrived } = this;
    this.arrived = undefined;
    if (!arrived) throw new Error('the exchange was given up');
    return arrived;
  }

  /** Of a body that is being read, what had arrived is still worth having. */
  private readonly abort = (): void => {
    if (this.isRead) this.tell('cancel');
    else this.giveUp(new Error('the request was cancelled', { cause: this.signal.reason }));
  };

  private giveUp(error: Error): void {
    this.answer?.reject(error);
    this.answer = undefined;
    this.discard();
  }
}

const NONE = 'the exchange ended without an answer';

function ignore(): void {}

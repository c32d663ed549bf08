import { describe, expect, it } from 'vitest';
import { type Order, RemoteExchange } from '../../../server/pull/remote-exchange';

describe('an exchange in another thread', () => {
  it('that is cancelled before anybody read it gives no chunk away, for its memory is another’s', async () => {
    const controller = new AbortController();
    const orders: Order[] = [];
    const exchange = new RemoteExchange(
      (order) => orders.push(order),
      controller.signal,
      () => undefined
    );
    exchange.hear({ type: 'answered', id: 1, head: { status: 200, headers: {}, reach: 'loopback' } });
    exchange.hear({ type: 'chunk', id: 1, bytes: Buffer.from('of this exchange, for now') });
    controller.abort();
    expect(orders).toEqual(['discard']);
    await expect(exchange.body().next()).rejects.toThrow('given up');
  });
});

import { describe, expect, it } from 'vitest';
import { type Arrival, type Order, RemoteExchange } from '../../../server/pull/network/remote-exchange';

/** An exchange whose answer has come, and what it orders. */
function answeredExchange() {
  const controller = new AbortController();
  const orders: Order[] = [];
  const exchange = new RemoteExchange((order) => orders.push(order), controller.signal, { onOver: () => undefined });
  exchange.hear({ type: 'answered', id: 1, head: { status: 200, headers: {}, reach: 'loopback' } });
  return { controller, orders, exchange, hear: (message: Arrival) => exchange.hear(message) };
}

describe('an exchange in another thread', () => {
  it('that is cancelled before anybody read it gives no chunk away, for its memory is another’s', async () => {
    const { controller, orders, exchange, hear } = answeredExchange();
    hear({ type: 'chunk', id: 1, bytes: Buffer.from('of this exchange, for now') });
    controller.abort();
    expect(orders).toEqual([{ type: 'discard' }]);
    await expect(exchange.body[Symbol.asyncIterator]().next()).rejects.toThrow('given up');
  });

  it('whose landing is left waits until nothing is written any more', async () => {
    const { orders, exchange, hear } = answeredExchange();
    const landing = { data: '/weights', journal: '/journal', start: 0, end: 100 };
    const landed = exchange.body.land?.(landing)?.[Symbol.asyncIterator]();
    hear({ type: 'landed', id: 1, bytes: 30 });
    expect(await landed?.next()).toEqual({ done: false, value: 30 });
    let isLeft = false;
    const leaving = landed?.return?.().then(() => (isLeft = true));
    await new Promise((done) => setImmediate(done));
    expect(orders).toEqual([{ type: 'land', landing }, { type: 'halt' }]);
    expect(isLeft).toBe(false);
    hear({ type: 'landed', id: 1, bytes: 12 });
    await leaving;
    expect(isLeft).toBe(true);
  });

  it('that breaks off in a landing tells so to the reader of its chunks, once the landing is over', async () => {
    const { exchange, hear } = answeredExchange();
    const chunks = exchange.body[Symbol.asyncIterator]();
    hear({ type: 'chunk', id: 1, bytes: Buffer.from('first') });
    await chunks.next();
    hear({ type: 'ended', id: 1, fault: { name: 'Error', message: 'closed early' } });
    const landed: number[] = [];
    const landing = { data: '/weights', journal: '/journal', start: 5, end: 100 };
    for await (const bytes of exchange.body.land?.(landing) ?? []) landed.push(bytes);
    expect(landed).toEqual([]);
    await expect(chunks.next()).rejects.toThrow('closed early');
  });
});

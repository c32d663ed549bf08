import * as z from 'zod';
import { threadFault } from './thread-fault';

/** From the pool to a worker. */
export const toWorker = z.discriminatedUnion('type', [
  z.object({ type: z.literal('start'), id: z.int(), task: z.string(), input: z.unknown() }),
  z.object({ type: z.literal('tell'), id: z.int(), message: z.unknown() }),
  z.object({ type: z.literal('cancel'), id: z.int() })
]);

/** From a worker to the pool. */
export const fromWorker = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), id: z.int(), amount: z.number() }),
  z.object({ type: z.literal('done'), id: z.int(), result: z.unknown() }),
  z.object({ type: z.literal('failed'), id: z.int(), fault: threadFault })
]);

export type ToWorker = z.infer<typeof toWorker>;
export type FromWorker = z.infer<typeof fromWorker>;

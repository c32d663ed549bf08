import * as z from 'zod';

/** The most connections to one server that anybody may ask for. */
const MOST_CONNECTIONS = 16;

/** How much of the network transfers may take. */
export const transferLimits = z.object({
  /** Bytes a second of all transfers together; 0 for as many as there are. */
  bytesPerSecond: z.int().min(0),
  /** The most connections that share one file. */
  connections: z.int().min(1).max(MOST_CONNECTIONS)
});

export type TransferLimits = Readonly<z.infer<typeof transferLimits>>;

/** What holds when nobody says otherwise. */
export const USUAL_LIMITS: TransferLimits = { bytesPerSecond: 0, connections: 8 };

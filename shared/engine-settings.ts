import * as z from 'zod';

/** How engines are used beyond a run of sd-cli on this machine; what makes no sense counts as not given. */
export const engineSettings = z.object({
  /** Whether a model stays loaded between requests. */
  resident: z.boolean().catch(false).default(false),
  /** How long it stays loaded that nobody uses, in minutes; 0: until something else unloads it. */
  residentIdleMinutes: z.number().min(0).catch(10).default(10),
  /** The share of the memory that is to stay available, in per cent; 0: memory is not looked at. */
  residentMemoryReserve: z.number().min(0).max(90).catch(10).default(10),
  /** Path of sd-server; absent: beside sd-cli. */
  sdServerPath: z.string().min(1).optional().catch(undefined),
  /** Other machines that lend their devices to the engine here, as host:port. */
  rpcServers: z.array(z.string()).catch([]).default([]),
  /** Addresses of sd-servers on other machines, by the names that the user gave them. */
  remotes: z.record(z.string(), z.string()).catch({}).default({}),
  /** The name of the one that requests go to which name none; absent: this machine. */
  device: z.string().min(1).optional().catch(undefined)
});

export type EngineSettings = z.infer<typeof engineSettings>;

/** Names this machine where a device is asked for. */
export const LOCAL_DEVICE = 'local';

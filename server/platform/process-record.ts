import * as z from 'zod';
import type { ProcessIdentity } from './process-identity';

/** The identity of a process as records on disk have it. */
export const processRecord: z.ZodType<ProcessIdentity> = z.object({
  host: z.string(),
  bootId: z.string(),
  pid: z.int().min(1),
  startTime: z.string()
});

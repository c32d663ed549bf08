import * as z from 'zod';
import { DIAGNOSTIC_CODES } from './diagnostic-codes';

/** What a finding can be to its reader; `hint` shows in the text alone. */
export const SEVERITIES = ['error', 'warning', 'information', 'hint'] as const;

export type Severity = (typeof SEVERITIES)[number];

/** What the user wants findings to be, by code; findings that are not named stay what they are. */
export const severityOverrides = z.partialRecord(z.enum(DIAGNOSTIC_CODES), z.enum([...SEVERITIES, 'off']));

export type SeverityOverrides = Readonly<z.infer<typeof severityOverrides>>;

/** Reads what somebody wrote entry by entry: one that makes no sense takes none of the others along. */
export function readSeverityOverrides(value: unknown): SeverityOverrides {
  if (typeof value !== 'object' || value === null) return {};
  const entries = Object.entries(value).map((entry) => severityOverrides.safeParse(Object.fromEntries([entry])));
  return Object.assign({}, ...entries.map(({ data }) => data ?? {}));
}

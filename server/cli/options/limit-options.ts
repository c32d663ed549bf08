import { Failure } from '../../../shared/failure';
import type { TransferLimits } from '../../../shared/transfer-limits';
import { transferLimits, USUAL_LIMITS } from '../../../shared/transfer-limits';
import type { CommandInput } from '../command';

/** The options that say how much of the network a command may take. */
export const LIMIT_OPTIONS = {
  'rate-limit': { type: 'string' },
  connections: { type: 'string' }
} as const;

/** Decimal, as sizes and rates are shown. */
const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1000, m: 1000 ** 2, g: 1000 ** 3 };

/** Reads `--rate-limit BYTES`, with k, M or G behind, and `--connections N`. @throws Failure('wrong-usage') */
export function limitsOf(input: CommandInput): TransferLimits {
  const [, amount = '', suffix = ''] = /^(\d+(?:\.\d+)?)([kmg]?)$/i.exec(input.text('rate-limit') ?? '0') ?? [];
  const bytesPerSecond = amount === '' ? Number.NaN : Math.round(Number(amount) * (FACTORS[suffix.toLowerCase()] ?? 1));
  const connections = Number(input.text('connections') ?? USUAL_LIMITS.connections);
  const limits = transferLimits.safeParse({ bytesPerSecond, connections });
  if (limits.success) return limits.data;
  const isRate = limits.error.issues.some(({ path }) => path[0] === 'bytesPerSecond');
  throw new Failure(
    'wrong-usage',
    isRate ? '--rate-limit takes bytes a second, for example 500k or 5M.' : '--connections takes a number from 1 to 16.'
  );
}

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { SAMPLING_METHODS, SCHEDULERS } from '../../../shared/sampling';

const usage = readFileSync(path.resolve(import.meta.dirname, '../../fixtures/sd-cli/usage.txt'), 'utf8');

/** The texts that sd-cli's help lists for an option. */
function listed(option: string): string[] {
  const [, list = ''] = new RegExp(`  ${option} [^\\[]*\\[([^\\]]*)\\]`).exec(usage) ?? [];
  return list.split(',').map((text) => text.trim());
}

it('offers the samplers and noise schedules that sd-cli lists in its help', () => {
  expect(listed('--sampling-method')).toEqual(SAMPLING_METHODS);
  expect(listed('--scheduler')).toEqual(SCHEDULERS);
});

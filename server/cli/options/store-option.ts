import { Failure } from '../../../shared/failure';
import type { CommandInput } from '../command';

/** The option that names a team store. */
export const STORE_OPTION = { store: { type: 'string' } } as const;

/** @returns the store that was named @throws Failure('wrong-usage') when none was */
export function namedStore(input: CommandInput): string {
  const store = input.text('store');
  if (store !== undefined) return store;
  throw new Failure('wrong-usage', 'Name a team store with --store.', {
    nextStep: 'Give its name in the settings, or its address: s3://bucket/prefix, r2://bucket/prefix, file:///folder.'
  });
}

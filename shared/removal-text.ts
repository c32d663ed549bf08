import { type Conversion, conversionText } from './conversion';

/**
 * Whether a model that is removed can be had again.
 * @param madeHere how it was made on this machine; undefined when it comes from elsewhere
 */
export function afterRemoval(madeHere: Conversion | undefined): string {
  if (madeHere === undefined) return 'it can be pulled again';
  return `it was made here (${conversionText(madeHere)}), so it cannot be pulled again, only converted again`;
}

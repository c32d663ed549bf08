import type { KnownModel } from '../models/known-models';

/** How a model was made, as its manifest says it to people. */
export function conversionSource(from: string, type: string, version: string): string {
  return `${from} converted to ${type} by sd-cli ${version}`;
}

/**
 * How a converted model was made; undefined for one that can be pulled, from the addresses of its manifest or from a
 * team store. What was made here nobody else has.
 */
export function conversionOf({ manifest, manifestPath, publication }: KnownModel): string | undefined {
  const { source } = manifest;
  const isElsewhere = manifestPath !== undefined || publication !== undefined;
  return !isElsewhere && source?.includes(' converted to ') ? source : undefined;
}

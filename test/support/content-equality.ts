import { expect } from 'vitest';

let isTold = false;

/**
 * Has `toEqual` and its like compare two contents as a whole. By themselves they look at each byte as a property of an
 * object, which takes seconds for a megabyte.
 */
export function compareContentsAsWhole(): void {
  // Whoever is told twice asks twice, at every comparison.
  if (!isTold) expect.addEqualityTesters([areEqualContents]);
  isTold = true;
}

/** @returns undefined for what are not two contents */
function areEqualContents(one: unknown, other: unknown): boolean | undefined {
  return Buffer.isBuffer(one) && Buffer.isBuffer(other) ? one.equals(other) : undefined;
}

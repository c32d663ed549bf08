import { expect } from 'vitest';
import { Failure } from '../../../shared/failure';

/** The failure that a promise is rejected with; anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error
  );
  expect(thrown).toBeInstanceOf(Failure);
  return thrown as Failure;
}

/** The failure that a function throws. */
export function failureIn(run: () => unknown): Failure {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    return error as Failure;
  }
  throw new Error('nothing was thrown');
}

/**
 * How long something takes.
 * @param {() => Promise<unknown>} action
 * @returns {Promise<number>} milliseconds
 */
export async function timed(action) {
  const started = performance.now();
  await action();
  return performance.now() - started;
}

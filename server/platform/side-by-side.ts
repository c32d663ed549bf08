/**
 * Does the same for each of several, some of them at a time, in their order. After a failure none is begun any more, and
 * the others that were are over before it is told.
 * @throws the first of what `work` throws
 */
export async function sideBySide<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<unknown>
): Promise<void> {
  const waiting = items[Symbol.iterator]();
  let first: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    for (let next = waiting.next(); !first && !next.done; next = waiting.next()) {
      try {
        await work(next.value);
      } catch (error) {
        first ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  if (first) throw first.error;
}

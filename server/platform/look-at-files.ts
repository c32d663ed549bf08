import { type BigIntStats, lstat } from 'node:fs';

/** So many files are asked for together: that is quickest, and others wait no longer than a moment for their turn. */
const AT_ONCE = 256;

/**
 * What lies at each of many paths, in their order; a final link is not followed. Where the system does not tell, its
 * error takes the place. The promises of `node:fs` cost three times as much for a thousand files.
 */
export async function lookAtFiles(paths: readonly string[]): Promise<readonly (BigIntStats | Error)[]> {
  const found: (BigIntStats | Error)[] = [];
  for (let from = 0; from < paths.length; from += AT_ONCE) {
    found.push(...(await Promise.all(paths.slice(from, from + AT_ONCE).map(look))));
  }
  return found;
}

function look(path: string): Promise<BigIntStats | Error> {
  return new Promise((resolve) => {
    lstat(path, { bigint: true }, (error, found) => resolve(error ?? found));
  });
}

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CacheLayout } from '../../server/store/cache-layout';
import { sha256 } from './sample-bytes';

/** What engines said of themselves when tests of this process asked them, by the name of the record. */
const answers = new Map<string, string>();

/**
 * Has a cache remember what an engine said to the cache of another test, as if a command had asked it here before: that
 * saves three of the four processes that an image takes. A program with another text is another engine.
 */
export async function rememberAskedEngine({ engineProbes }: CacheLayout, enginePath: string): Promise<void> {
  const program = await readFile(enginePath).catch(() => undefined);
  if (program === undefined) return;
  const name = `${sha256(program)}.json`;
  const record = join(engineProbes, name);
  const known = answers.get(name);
  if (known === undefined) {
    onTestFinished(async () => {
      const answer = await readFile(record, 'utf8').catch(() => undefined);
      if (answer !== undefined) answers.set(name, answer);
    });
  } else {
    await mkdir(engineProbes, { recursive: true });
    await writeFile(record, known);
  }
}

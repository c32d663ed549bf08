import { createHasher } from '../../server/platform/hasher';
import { WorkerPool } from '../../server/platform/workers/worker-pool';

/** A process that hashes files, cancels one, and never disposes of its pool: nothing may keep it alive then. */
async function main([worker = '', ...paths]: readonly string[]): Promise<void> {
  const hasher = createHasher(new WorkerPool(worker));
  const hashes = await Promise.all(paths.map((path) => hasher.hash(path)));
  for (const { digest } of hashes) console.log(digest);
  const controller = new AbortController();
  const following = hasher.follow(paths[0] ?? '', { signal: controller.signal });
  following.advance(1);
  controller.abort();
}

void main(process.argv.slice(2));

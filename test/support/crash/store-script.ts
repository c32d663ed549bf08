import { parseArgs } from 'node:util';
import { createHasher } from '../../../server/platform/hasher';
import { WorkerPool } from '../../../server/platform/workers/worker-pool';
import { BundleStore } from '../../../server/store/bundle-store';
import { CacheLayout } from '../../../server/store/cache-layout';
import { Proofs } from '../../../server/store/proofs';
import { recover } from '../../../server/store/recovery';
import { RENAMED_SAMPLE, SAMPLE, sampleBundle } from '../sample-bundle';
import { dieAtCall } from './die-at-call';

/**
 * A process to be killed while it changes bundles: `install`, `drop`, `rename`, `recover`, or `forever`, which installs one
 * version after another and prints the number of each that is installed.
 */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { root: { type: 'string' }, version: { type: 'string' }, die: { type: 'string' } }
  });
  const layout = new CacheLayout(values.root ?? '');
  // What comes out of the store is not read again.
  const hasher = createHasher(new WorkerPool(''));
  const store = new BundleStore(layout, hasher, new Proofs(layout.proofs));
  const install = async (version: number): Promise<void> => {
    const { contents, manifest } = sampleBundle(layout, version % 5);
    await store.install(SAMPLE, contents, { ...manifest });
    console.log(version);
  };
  let version = Number(values.version ?? 0);
  dieAtCall(Number(values.die ?? 0));
  switch (positionals[0]) {
    case 'install':
      return install(version);
    case 'drop':
      return store.drop(SAMPLE);
    case 'rename':
      return store.rename(SAMPLE, RENAMED_SAMPLE, () => Promise.resolve());
    case 'recover':
      for (const sentence of await recover(layout)) console.log(sentence);
      return;
    default:
      for (;;) {
        await install(version);
        version += 1;
      }
  }
}

void main();

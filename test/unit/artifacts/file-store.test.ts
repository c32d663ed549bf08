import { join } from 'node:path';
import { FileStore } from '../../../server/artifacts/file-store/file-store';
import { createHasher } from '../../../server/platform/hasher';
import { temporariesIn } from '../../support/artifacts/folder-contents';
import { storeConformance } from '../../support/artifacts/store-conformance';
import { sharedPool } from '../../support/built-worker';
import { temporaryFolder } from '../../support/temporary-folder';

storeConformance('a store in a folder', async () => {
  const root = join(await temporaryFolder(), 'team', 'store');
  return {
    open: () => new FileStore(root, createHasher(sharedPool())),
    leftovers: () => temporariesIn(root)
  };
});

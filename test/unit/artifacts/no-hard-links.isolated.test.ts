import { join } from 'node:path';
import { vi } from 'vitest';
import { FileStore } from '../../../server/artifacts/file-store/file-store';
import { createHasher } from '../../../server/platform/hasher';
import { temporariesIn } from '../../support/artifacts/folder-contents';
import { storeConformance } from '../../support/artifacts/store-conformance';
import { sharedPool } from '../../support/built-worker';
import { temporaryFolder } from '../../support/temporary-folder';

// As exFAT answers; everything else is the real file system.
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof import('node:fs/promises')>()),
  link: () => Promise.reject(Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' }))
}));

storeConformance('a store in a folder of a volume without hard links', async () => {
  const root = join(await temporaryFolder(), 'store');
  return {
    open: () => new FileStore(root, createHasher(sharedPool())),
    leftovers: () => temporariesIn(root)
  };
});

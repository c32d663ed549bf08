import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStore } from '../../../server/artifacts/file-store/file-store';
import { isTemporary } from '../../../server/platform/durable-files';
import { createHasher } from '../../../server/platform/hasher';
import { storeConformance } from '../../support/artifacts/store-conformance';
import { sharedPool } from '../../support/built-worker';
import { temporaryFolder } from '../../support/temporary-folder';

storeConformance('a store in a folder', async () => {
  const root = join(await temporaryFolder(), 'team', 'store');
  const hasher = createHasher(sharedPool());
  return { open: () => new FileStore(root, hasher), leftovers: () => temporariesIn(root) };
});

async function temporariesIn(root: string): Promise<readonly string[]> {
  await mkdir(root, { recursive: true });
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.map(({ name }) => name).filter(isTemporary);
}

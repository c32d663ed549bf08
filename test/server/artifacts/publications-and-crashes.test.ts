import { join } from 'node:path';
import { FileStore } from '../../../server/artifacts/file-store/file-store';
import { createHasher } from '../../../server/platform/hasher';
import { crashConformance } from '../../support/artifacts/crash-conformance';
import { MemoryStore } from '../../support/artifacts/memory-store';
import { workerPool } from '../../support/built-worker';
import { temporaryFolder } from '../../support/temporary-folder';

crashConformance('publications in memory', async () => {
  const contents: ConstructorParameters<typeof MemoryStore>[0] = new Map();
  return { open: () => new MemoryStore(contents) };
});

crashConformance('publications in a folder', async () => {
  const folder = join(await temporaryFolder(), 'team');
  const hasher = createHasher(workerPool());
  return { open: () => new FileStore(folder, hasher) };
});

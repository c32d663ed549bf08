import { MemoryStore } from '../../support/artifacts/memory-store';
import { storeConformance } from '../../support/artifacts/store-conformance';

storeConformance('a store in memory', async () => {
  const contents = new Map();
  return { open: () => new MemoryStore(contents) };
});

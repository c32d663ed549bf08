import { beforeEach, describe, vi } from 'vitest';
import { storeSuite } from './store.suite';

const volume = vi.hoisted(() => ({ hasHardLinks: true }));

// Where there are none, as exFAT answers; everything else is the real file system.
vi.mock(import('node:fs/promises'), async (original) => {
  const files = await original();
  const link: typeof files.link = async (from, to) => {
    if (volume.hasHardLinks) return files.link(from, to);
    throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' });
  };
  return { ...files, link };
});

describe.each([
  ['on a volume with hard links', true],
  ['on a volume without hard links', false]
])('the store', (kind, hasHardLinks) => {
  beforeEach(() => {
    volume.hasHardLinks = hasHardLinks;
  });

  storeSuite(kind, { hasHardLinks });
});

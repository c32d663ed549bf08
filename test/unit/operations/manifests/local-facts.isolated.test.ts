import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { knownLocally } from '../../../../server/operations/manifests/local-facts';
import * as bundleState from '../../../../server/store/bundle-state';
import { sha256 } from '../../../support/sample-bytes';
import { testServices } from '../../../support/test-services';

vi.mock('../../../../server/store/bundle-state', { spy: true });

it('looks at the installed model once, however many files of a manifest are asked for at the same time', async () => {
  const services = await testServices();
  const folder = join(services.layout.models, 'm');
  const files = Array.from({ length: 20 }, (_, index) => {
    return { path: `${index}.gguf`, role: 'model', sha256: sha256(Buffer.from('w')), size_bytes: 1 };
  });
  await mkdir(folder, { recursive: true });
  for (const { path } of files) await writeFile(join(folder, path), 'w');
  const facts = { name: 'm', source: '', revision: '', task: '', engine: '', dimensions: 0, installed_at_unix_ms: 1 };
  await writeFile(join(folder, 'manifest.json'), JSON.stringify({ ...facts, total_size_bytes: 20, files }));
  vi.mocked(bundleState.assessBundleFolder).mockClear();
  const locally = knownLocally(services, { model: 'm', folder: undefined });
  const known = await Promise.all(files.map(({ path }) => locally({ url: 'https://example.com/w', filename: path })));
  expect(known.flat().map(({ place }) => place)).toEqual(files.map(() => 'installed'));
  expect(bundleState.assessBundleFolder).toHaveBeenCalledTimes(1);
});

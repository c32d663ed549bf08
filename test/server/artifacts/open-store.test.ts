import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { storeKey } from '../../../server/artifacts/store-key';
import { openStore } from '../../../server/operations/stores/open-store';
import { temporaryFolder } from '../../support/temporary-folder';
import { testServices } from '../../support/test-services';

const signal = new AbortController().signal;

describe('a store', () => {
  it('that is a folder is opened by its name or its address', async () => {
    const folder = await temporaryFolder();
    const url = pathToFileURL(folder).href;
    const services = await testServices({ stores: { office: { url } } });
    const named = await openStore(services, 'office');
    await named.put(storeKey('notes'), { kind: 'bytes', bytes: Buffer.from('kept') }, { signal });
    expect(await readFile(join(folder, 'notes'), 'utf8')).toBe('kept');
    const addressed = await openStore(services, `${url}/`);
    expect((await addressed.read(storeKey('notes'), { signal, limit: 100 }))?.bytes).toEqual(Buffer.from('kept'));
  });
});

import { chmod, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { freeSpace } from '../../server/operations/clean-up/free-space';
import { exists } from '../../server/platform/durable-files';
import { withoutRights } from '../support/rights';
import { digestOf, SAMPLE } from '../support/sample-bundle';
import { type TestServices, testServices } from '../support/test-services';

const UNUSED = Buffer.from('nobody uses this');
const LEFTOVER = `${SAMPLE}.0123456789abcdef`;

let services: TestServices;
let unused: string;
let leftover: string;

/** A cache with a content that nothing uses, and a removed bundle that may not be emptied. */
beforeEach(async () => {
  services = await testServices();
  const { layout } = services;
  unused = layout.blob(digestOf(UNUSED));
  leftover = join(layout.purge, LEFTOVER);
  for (const folder of [layout.operations, layout.garbage, leftover, dirname(unused)]) {
    await mkdir(folder, { recursive: true });
  }
  await writeFile(unused, UNUSED);
  await writeFile(join(leftover, 'weights.gguf'), 'old');
  for (const entry of await readdir(layout.root, { recursive: true })) await chmod(join(layout.root, entry), 0o777);
  await chmod(layout.root, 0o777);
  await chmod(leftover, 0o555);
});

/** The removal of the bundle, as a process of another host left it long ago. */
async function recordRemoval(): Promise<void> {
  const owner = { host: 'elsewhere', bootId: 'b', pid: 1, startTime: '1' };
  const record = join(services.layout.operations, '0123456789abcdef.json');
  await writeFile(record, JSON.stringify({ kind: 'drop', name: SAMPLE, owner, replaces: '', purge: LEFTOVER }));
  const long = new Date(Date.now() - 8 * 24 * 3600 * 1000);
  await utimes(record, long, long);
}

describe.runIf(process.platform !== 'win32')('freeing space where a leftover may not be removed', () => {
  it.each([
    { of: 'a removal that nobody knows of', prepare: async () => undefined, message: /Access was denied/ },
    { of: 'a recorded removal', prepare: recordRemoval, message: new RegExp(`cannot be removed: ${LEFTOVER}`) }
  ])('says so, and frees the rest: $of', async ({ prepare, message }) => {
    await prepare();
    const freeing = withoutRights(services.root, () => freeSpace(services, false));
    await expect(freeing).rejects.toMatchObject({ code: 'file-access', message: expect.stringMatching(message) });
    expect(await exists(unused)).toBe(false);
    for (const entry of await readdir(services.layout.purge)) await chmod(join(services.layout.purge, entry), 0o777);
  });
});

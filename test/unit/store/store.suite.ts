import { chmod, lstat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createHasher } from '../../../server/platform/hasher';
import { BlobStore } from '../../../server/store/blob-store';
import { BundleStore } from '../../../server/store/bundle-store';
import { folderStamp } from '../../../server/store/bundle-swap';
import { CacheLayout } from '../../../server/store/cache-layout';
import { Proofs } from '../../../server/store/proofs';
import { recover } from '../../../server/store/recovery';
import { parseModelName } from '../../../shared/model-name';
import { workerPool } from '../../support/built-worker';
import { digestOf, leftovers, SAMPLE, sampleBundle, versionIn, writeBlobs } from '../../support/sample-bundle';
import { sampleBytes } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';

const BYTES = sampleBytes(10_000);
const DIGEST = digestOf(BYTES);
const OTHER = parseModelName('other-model')!;

/** The stores of one process. */
interface Session {
  readonly blobs: BlobStore;
  readonly bundles: BundleStore;
}

function open(layout: CacheLayout): Session {
  const proofs = new Proofs(layout.proofs);
  const hasher = createHasher(workerPool());
  return { blobs: new BlobStore(layout, hasher, proofs), bundles: new BundleStore(layout, hasher, proofs) };
}

/** The promises that the blob store and the bundle store keep on every kind of volume, to whoever opens them. */
export function storeSuite(kind: string, { hasHardLinks }: { readonly hasHardLinks: boolean }): void {
  describe.each(['in the same session', 'after reopening'])(`${kind}, %s,`, (when) => {
    let layout: CacheLayout;
    let session: Session;
    /** The stores as whoever comes next has them. */
    let next: () => Session;

    beforeEach(async () => {
      layout = new CacheLayout(await temporaryFolder());
      session = open(layout);
      next = () => (when === 'after reopening' ? open(layout) : session);
    });

    const find = (digest = DIGEST) => next().blobs.findProved(digest, new AbortController().signal);

    async function commit(bytes: Uint8Array) {
      const file = join(layout.root, 'download');
      await writeFile(file, bytes);
      return session.blobs.commit(file, { digest: digestOf(bytes), bytes: bytes.length });
    }

    async function install(version: number, name = SAMPLE, { bundles } = session) {
      await writeBlobs(layout, version);
      const { contents, manifest } = sampleBundle(layout, version);
      return bundles.install(name, contents, { ...manifest, name });
    }

    const versionOf = (name = SAMPLE) => versionIn(layout.model(name));

    describe('a content that was committed', () => {
      it.each([
        ['is found', BYTES],
        ['is found when it is empty', Buffer.alloc(0)]
      ])('%s under its digest, read-only', async (_, bytes) => {
        const blob = await commit(bytes);
        expect(await find(digestOf(bytes))).toEqual(blob);
        expect(await readFile(blob.path)).toEqual(Buffer.from(bytes));
        expect((await lstat(blob.path)).mode & 0o222).toBe(0);
      });

      it('is stored once, however often it comes', async () => {
        const blob = await commit(BYTES);
        expect(await commit(BYTES)).toEqual(blob);
        expect(await find()).toEqual(blob);
        expect((await lstat(blob.path)).nlink).toBe(1);
      });

      it('is no more found once it is damaged, while others are', async () => {
        const other = await commit(sampleBytes(500, 3));
        const { path } = await commit(BYTES);
        await chmod(path, 0o644);
        await writeFile(path, BYTES.subarray(1));
        expect(await find()).toBeUndefined();
        expect(await find(other.digest)).toEqual(other);
        expect(await commit(BYTES).then(() => find())).toMatchObject({ digest: DIGEST, bytes: BYTES.length });
      });
    });

    it('a content that nobody committed is not found', async () => {
      await commit(BYTES);
      expect(await find(digestOf(Buffer.from('another')))).toBeUndefined();
    });

    describe('a bundle that was installed', () => {
      it('holds exactly its files, and leaves nothing to be recovered', async () => {
        expect(await install(3)).toBe(layout.model(SAMPLE));
        expect(await versionOf()).toBe(3);
        expect(await leftovers(layout)).toEqual([]);
        expect(await recover(layout)).toEqual([]);
        expect(await versionOf()).toBe(3);
      });

      it('is replaced as a whole by another version', async () => {
        await install(3);
        await install(2, SAMPLE, next());
        expect(await versionOf()).toBe(2);
        expect(await leftovers(layout)).toEqual([]);
      });

      it('is known to hold what it was made of, and nothing else', async () => {
        await install(3);
        await writeBlobs(layout, 2);
        const [same, other] = [sampleBundle(layout, 3), sampleBundle(layout, 2)];
        const later = { ...same.manifest, installed_at_unix_ms: 5 };
        expect(await next().bundles.holds(SAMPLE, same.contents, later)).toBe(hasHardLinks);
        expect(await next().bundles.holds(SAMPLE, other.contents, other.manifest)).toBe(false);
        expect(await next().bundles.holds(OTHER, same.contents, later)).toBe(false);
      });

      it('is replaced by nobody who expects another one in its place', async () => {
        await install(3);
        const expected = await folderStamp(layout.model(SAMPLE));
        await install(4);
        await writeBlobs(layout, 3);
        const { contents, manifest } = sampleBundle(layout, 3);
        const { bundles } = next();
        await expect(bundles.install(SAMPLE, contents, manifest, { expected })).rejects.toMatchObject({ code: 'busy' });
        expect(await versionOf()).toBe(4);
        const stamp = await folderStamp(layout.model(SAMPLE));
        await bundles.install(SAMPLE, contents, manifest, { expected: stamp });
        expect(await versionOf()).toBe(3);
        expect(await leftovers(layout)).toEqual([]);
      });

      it('is gone once it is dropped, its contents are where they are stored apart, and it may come again', async () => {
        await install(3);
        await next().bundles.drop(SAMPLE);
        await next().bundles.drop(SAMPLE);
        expect(await versionOf()).toBeUndefined();
        const { contents } = sampleBundle(layout, 3);
        // Else the bundle had the only copy.
        for (const { blob } of contents) expect(await find(blob.digest)).toEqual(hasHardLinks ? blob : undefined);
        await install(3, SAMPLE, next());
        expect(await versionOf()).toBe(3);
        expect(await leftovers(layout)).toEqual([]);
      });

      it('stays when another that shares contents with it is replaced and dropped', async () => {
        await install(3);
        await install(1, OTHER);
        await install(2, OTHER, next());
        await next().bundles.drop(OTHER);
        expect(await versionOf()).toBe(3);
      });
    });

    it('a bundle whose content is gone is not installed, and what was there stays', async () => {
      await install(3);
      const { contents, manifest } = sampleBundle(layout, 4);
      await expect(next().bundles.install(SAMPLE, contents, manifest)).rejects.toThrow('ENOENT');
      expect(await versionOf()).toBe(3);
      expect(await leftovers(layout)).toEqual([]);
    });
  });
}

import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { bundlePathProblem } from '../../../shared/file-name';
import type { ModelName } from '../../../shared/model-name';
import type { BundleFolder, FileOnDisk } from '../../manifest/rules/on-disk';
import { exists } from '../../platform/durable-files';
import { isFolderLitter } from '../../platform/folder-litter';
import { isErrorWithCode } from '../../platform/system-error';
import { BUNDLE_MANIFEST } from '../../store/cache-layout';
import type { Services } from '../services';

/**
 * The bundle that a manifest file of the cache describes.
 * @param path absolute path of the manifest
 * @returns undefined unless it is the manifest of an installed bundle
 */
export async function bundleOnDisk(services: Parts, path: string): Promise<BundleFolder | undefined> {
  const folder = dirname(path);
  if (basename(path) !== BUNDLE_MANIFEST || dirname(folder) !== services.layout.models) return undefined;
  return lookInto(services, folder);
}

/** The bundle of a model; undefined unless one is installed. */
export async function bundleNamed(services: Parts, name: ModelName): Promise<BundleFolder | undefined> {
  const folder = services.layout.model(name);
  return (await exists(join(folder, BUNDLE_MANIFEST))) ? lookInto(services, folder) : undefined;
}

type Parts = Pick<Services, 'layout' | 'proofs'>;

async function lookInto({ proofs }: Parts, folder: string): Promise<BundleFolder> {
  await proofs.refresh();
  return {
    async look(file): Promise<FileOnDisk> {
      // A path that leads elsewhere has a finding of its own, and is nothing to look at.
      if (bundlePathProblem(file)) return { kind: 'unusable' };
      try {
        const found = await lstat(join(folder, file), { bigint: true });
        if (!found.isFile()) return { kind: 'unusable' };
        const digest = proofs.find(found)?.digest;
        return { kind: 'file', bytes: Number(found.size), ...(digest !== undefined && { digest }) };
      } catch (error) {
        return { kind: isErrorWithCode(error, 'ENOENT', 'ENOTDIR') ? 'absent' : 'unusable' };
      }
    },
    async files() {
      const entries = await readdir(folder, { withFileTypes: true, recursive: true });
      return entries.flatMap((entry) => {
        if (entry.isDirectory()) return [];
        const file = relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/');
        return file === BUNDLE_MANIFEST || isFolderLitter(file) ? [] : [file];
      });
    }
  };
}

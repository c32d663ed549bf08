import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundlePathProblem } from '../../../shared/file-name';
import { type ModelName, parseModelName } from '../../../shared/model-name';
import type { BundleFolder, FileOnDisk, SourceChange } from '../../manifest/rules/on-disk';
import { exists } from '../../platform/durable-files';
import { isFolderLitter } from '../../platform/folder-litter';
import { isErrorWithCode } from '../../platform/system-error';
import { BUNDLE_MANIFEST } from '../../store/cache-layout';
import { summariseModel } from '../models/list-models';
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

type Parts = Pick<Services, 'layout' | 'proofs' | 'registry' | 'manifestsInView' | 'survey' | 'log' | 'environment'>;

async function lookInto(services: Parts, folder: string): Promise<BundleFolder> {
  const { proofs } = services;
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
    },
    change: () => changeSince(services, basename(folder))
  };
}

/** What makes an installed model an outdated one. */
async function changeSince(services: Parts, folderName: string): Promise<SourceChange | undefined> {
  const name = parseModelName(folderName);
  const model = name && (await summariseModel(services, name));
  if (model?.status !== 'outdated') return undefined;
  const { reason = 'Pull the model again.', manifestUri } = model;
  return { reason, ...(manifestUri !== undefined && { file: fileURLToPath(manifestUri) }) };
}

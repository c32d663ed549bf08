import { join } from 'node:path';
import type { Digest } from '../../shared/digest';
import { type ModelName, parseModelName } from '../../shared/model-name';
import { entriesOf } from '../platform/folder-entries';
import { assessBundleFolder } from './bundle-state';
import type { CacheLayout } from './cache-layout';

/** A file of an installed bundle. */
export interface BundleFile {
  /** The model, under the name that its folder has. */
  readonly model: ModelName;
  readonly digest: Digest;
  readonly bytes: number;
  /** Absolute path. */
  readonly path: string;
}

/** Every file that the manifests of the installed bundles list, whatever lies there. Bundles without one have none. */
export async function bundleFiles(layout: CacheLayout): Promise<readonly BundleFile[]> {
  const files: BundleFile[] = [];
  for (const entry of await entriesOf(layout.models)) {
    const model = parseModelName(entry);
    const folder = join(layout.models, entry);
    if (!model) continue;
    const bundle = await assessBundleFolder(folder);
    if (bundle.kind !== 'present') continue;
    for (const { file } of bundle.files) {
      files.push({ model, digest: file.sha256, bytes: file.size_bytes, path: join(folder, file.path) });
    }
  }
  return files;
}

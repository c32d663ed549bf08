import type { SourceManifest } from '../../shared/manifest/source-manifest';
import { type ModelName, modelKey, parseModelName } from '../../shared/model-name';
import { loadSourceManifest } from './manifest-file';

/** A valid source manifest in the workspace. */
export interface ManifestInView {
  readonly name: ModelName;
  /** Absolute path. */
  readonly path: string;
  readonly manifest: SourceManifest;
}

/** The source manifests of the workspace as they are on disk. Broken ones and foreign documents are left out. */
export class ManifestsInView {
  private paths: readonly string[] = [];

  /** @param paths absolute paths of every candidate; replaces what was said before */
  set(paths: readonly string[]): void {
    this.paths = paths;
  }

  /** Reads the candidates; of two manifests with one name the first by path counts. */
  async read(): Promise<readonly ManifestInView[]> {
    const seen = new Set<string>();
    const found: ManifestInView[] = [];
    for (const candidate of await Promise.all(this.paths.toSorted().map(tryLoad))) {
      if (!candidate || seen.has(modelKey(candidate.name))) continue;
      seen.add(modelKey(candidate.name));
      found.push(candidate);
    }
    return found;
  }
}

async function tryLoad(path: string): Promise<ManifestInView | undefined> {
  try {
    const manifest = await loadSourceManifest(path);
    const name = parseModelName(manifest.name);
    return name && { name, path, manifest };
  } catch {
    // Its mistakes are shown where it is edited.
    return undefined;
  }
}

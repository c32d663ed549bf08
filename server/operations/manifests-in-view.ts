import { stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
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
  private readonly loaded = new Map<string, LoadedManifest>();

  /** @param paths absolute paths of every candidate; replaces what was said before */
  set(paths: readonly string[]): void {
    this.paths = paths.toSorted();
    for (const path of this.loaded.keys()) if (!paths.includes(path)) this.loaded.delete(path);
  }

  /** Reads the candidates; of two manifests with one name the first by path counts. */
  async read(): Promise<readonly ManifestInView[]> {
    const found = new Map<string, ManifestInView>();
    for (const candidate of await this.readAll()) {
      const key = modelKey(candidate.name);
      if (!found.has(key)) found.set(key, candidate);
    }
    return [...found.values()];
  }

  /** Paths of the other manifests that have the same name as one but say something else. */
  async namesakesOf(path: string): Promise<readonly string[]> {
    const all = await this.readAll();
    const own = all.find((candidate) => candidate.path === path);
    if (!own) return [];
    const others = all.filter((other) => other !== own && modelKey(other.name) === modelKey(own.name));
    return others.filter(({ manifest }) => !isDeepStrictEqual(manifest, own.manifest)).map((other) => other.path);
  }

  private async readAll(): Promise<readonly ManifestInView[]> {
    const read = await Promise.all(this.paths.map((path) => this.load(path)));
    return read.flatMap((manifest) => manifest ?? []);
  }

  /** A file that did not change since is not read again. */
  private async load(path: string): Promise<ManifestInView | undefined> {
    const stamp = await stampOf(path);
    const known = this.loaded.get(path);
    if (known && stamp !== undefined && known.stamp === stamp) return known.manifest;
    const manifest = await tryLoad(path);
    if (stamp !== undefined) this.loaded.set(path, { stamp, manifest });
    return manifest;
  }
}

interface LoadedManifest {
  readonly stamp: string;
  /** undefined: what lies there is no valid manifest. */
  readonly manifest: ManifestInView | undefined;
}

/** Changes whenever the file does; undefined when there is none. */
async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join('-');
  } catch {
    return undefined;
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

import { Failure } from '../../../shared/failure';
import { type ModelName, modelKey, parseModelName } from '../../../shared/model-name';
import { loadSourceManifest } from '../manifests/manifest-file';
import type { Services } from '../services';
import { isInstalledAs, type NewName, renameModel } from './rename-model';

/** Where a name is waited for. */
interface Renaming {
  /** Absolute path of the manifest that was renamed in the editor. */
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Models whose manifests were renamed in the editor, and what is installed of them not yet: an edit is a proposal until
 * it is saved. Once the file says the new name, the disk follows; and when the edit is undone and saved, it goes back.
 */
export class PendingRenamings {
  private readonly pending = new Map<string, NewName>();
  private looks: Promise<void> = Promise.resolve();

  /** @param onFailure is told why a model keeps its old name although its manifest has the new one */
  constructor(
    private readonly services: Services,
    private readonly onFailure: (error: unknown) => void
  ) {}

  /** Waits for the manifest to be saved with its new name; names that are none are passed over. */
  expect({ path, from, to }: Renaming): void {
    const [before, name] = [parseModelName(from), parseModelName(to)];
    if (!before || !name) return;
    const earlier = this.pending.get(path);
    // Renamed once more before it was saved.
    const installedAs = earlier && isSame(earlier.to, before) ? earlier.name : before;
    if (isSame(installedAs, name)) this.pending.delete(path);
    else this.pending.set(path, { name: installedAs, to: name });
  }

  /** Looks at the manifests that names are waited for. To be called when one may have been saved. */
  look(): Promise<void> {
    if (this.pending.size === 0) return this.looks;
    this.looks = this.looks.then(() => this.lookAtAll());
    return this.looks;
  }

  private async lookAtAll(): Promise<void> {
    for (const [path, renaming] of new Map(this.pending)) {
      const saved = await nameIn(path);
      if (saved === undefined || isSame(saved, renaming.name)) continue;
      this.pending.delete(path);
      if (isSame(saved, renaming.to)) await this.follow(path, renaming);
    }
  }

  private async follow(path: string, { name, to }: NewName): Promise<void> {
    try {
      if (!(await isInstalledAs(this.services, name))) return;
      await renameModel(this.services, { name, to });
      this.pending.set(path, { name: to, to: name });
    } catch (error) {
      // Whoever is at it will be done, and the next look finds it so.
      if (error instanceof Failure && error.code === 'busy') this.pending.set(path, { name, to });
      this.onFailure(error);
    }
  }
}

function isSame(one: ModelName, other: ModelName): boolean {
  return modelKey(one) === modelKey(other);
}

/** The name in a manifest on the disk; undefined while that is no valid manifest. */
async function nameIn(path: string): Promise<ModelName | undefined> {
  try {
    return parseModelName((await loadSourceManifest(path)).name);
  } catch {
    return undefined;
  }
}

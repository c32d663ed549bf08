import { type Disposable, EventEmitter, type Uri, workspace } from 'vscode';
import { hasCandidateName } from '../../shared/manifest/candidate';
import { candidatePatterns, isCandidate } from './manifest-patterns';
import { mayBeManifestFile } from './sniff';

/** Packages bring manifests of their own, by the thousand. */
const NEVER_SEARCHED = '**/node_modules/**';

/** Events that come in a row are handled together. */
const QUIET_MS = 150;

/** The files in the workspace that may be model manifests, kept up to date. */
export class WorkspaceManifests implements Disposable {
  private readonly changed = new EventEmitter<void>();
  private readonly found = new Map<string, Uri>();
  private readonly updates = new Map<string, () => unknown>();
  private watchers: Disposable[] = [];
  /** What is saved here is known at once: a folder is watched only some time after it was opened. */
  private readonly saving = workspace.onDidSaveTextDocument((document) => {
    if (isCandidate(document)) this.noticeChange(document.uri, () => this.examine(document.uri));
  });
  private quiet: NodeJS.Timeout | undefined;
  private searching: Promise<void> | undefined;

  /** Fires when one of the files came, went or has another content. */
  readonly onDidChange = this.changed.event;

  /** The files, once they have been searched for. */
  async uris(): Promise<readonly Uri[]> {
    await this.searching;
    return [...this.found.values()];
  }

  /** Searches the workspace anew and watches what the settings name now. */
  async search(): Promise<void> {
    this.watch();
    this.searching = this.searchNow();
    await this.searching;
    this.changed.fire();
  }

  dispose(): void {
    clearTimeout(this.quiet);
    this.saving.dispose();
    for (const watcher of this.watchers) watcher.dispose();
    this.changed.dispose();
  }

  private async searchNow(): Promise<void> {
    const searches = candidatePatterns().map((pattern) => workspace.findFiles(pattern, NEVER_SEARCHED));
    const candidates = (await Promise.all(searches)).flat();
    this.found.clear();
    await Promise.all(candidates.map((uri) => this.examine(uri)));
  }

  private watch(): void {
    for (const watcher of this.watchers) watcher.dispose();
    this.watchers = candidatePatterns().flatMap((pattern) => {
      const watcher = workspace.createFileSystemWatcher(pattern);
      const examine = (uri: Uri): void => this.noticeChange(uri, () => this.examine(uri));
      const forget = (uri: Uri): void => this.noticeChange(uri, () => this.found.delete(uri.toString()));
      return [watcher, watcher.onDidCreate(examine), watcher.onDidChange(examine), watcher.onDidDelete(forget)];
    });
  }

  private noticeChange(uri: Uri, update: () => unknown): void {
    if (uri.scheme !== 'file' || uri.path.includes('/node_modules/')) return;
    this.updates.set(uri.toString(), update);
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => void this.update(), QUIET_MS);
  }

  private async update(): Promise<void> {
    const updates = [...this.updates];
    this.updates.clear();
    const isFound = (): boolean => updates.some(([uri]) => this.found.has(uri));
    const wasFound = isFound();
    await Promise.all(updates.map(([, update]) => update()));
    if (wasFound || isFound()) this.changed.fire();
  }

  /** What the user's own patterns name is a manifest whatever it holds. */
  private async examine(uri: Uri): Promise<void> {
    const counts = !hasCandidateName(uri.path) || (await mayBeManifestFile(uri.fsPath));
    if (counts) this.found.set(uri.toString(), uri);
    else this.found.delete(uri.toString());
  }
}

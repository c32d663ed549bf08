import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Failure } from '../../../shared/failure';
import { hasCandidateName } from '../../../shared/manifest/candidate';
import type { SourceManifest } from '../../../shared/manifest/source-manifest';
import { type ModelName, modelKey, parseModelName } from '../../../shared/model-name';
import { recognise } from '../../manifest/recognition/recognise';
import type { Namesakes } from '../../manifest/rules/duplicate-name';
import { parseManifestText, stringOf } from '../../manifest/text/document';
import type { Log } from '../../platform/log';
import { loadSourceManifest, readManifestText } from './manifest-file';

/** A valid source manifest in the workspace. */
export interface ManifestInView {
  readonly name: ModelName;
  /** Absolute path. */
  readonly path: string;
  readonly manifest: SourceManifest;
}

/** A source manifest in the workspace that cannot be used as it is. */
export interface BrokenManifest {
  /** The model's name; of a manifest without a good one the end of its path. */
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
  /** The first thing that is wrong with it, a sentence. */
  readonly problem: string;
}

/** A candidate of the workspace as it is on disk. */
export interface CandidateOnDisk {
  /** Absolute path. */
  readonly path: string;
  /** Changes whenever the file does. */
  readonly stamp: string;
  /** By their absolute paths. */
  readonly namesakes: Namesakes | undefined;
}

/** Far more than a workspace has; those behind them by path are looked at when they are opened only. */
const MOST_CANDIDATES = 2000;

/** Files that are read at the same time. */
const READ_AT_ONCE = 16;

/**
 * Whoever types asks with each key what others are called: one look at the disk answers until somebody says that
 * files changed, and not longer than so many ms, for some editors say nothing.
 */
const SURVEY_MS = 10_000;

/** The source manifests of the workspace as they are on disk. Broken ones and foreign documents are left out. */
export class ManifestsInView {
  private paths: readonly string[] = [];
  private readonly loaded = new Map<string, LoadedManifest>();
  private onSet: (() => void) | undefined;
  private isLeftOut: (path: string) => boolean = () => false;
  private toldOfMany = false;
  private recent: Survey | undefined;
  private searching: Promise<unknown> | undefined;

  constructor(private readonly log: Log) {}

  /** @param isLeftOut tells of an absolute path whether the user wants it to be no manifest */
  leaveOut(isLeftOut: (path: string) => boolean): void {
    this.isLeftOut = isLeftOut;
  }

  /** @param paths absolute paths of every candidate; replaces what was said before */
  set(paths: readonly string[]): void {
    const wanted = [...new Set(paths)].filter((path) => !this.isLeftOut(path)).toSorted();
    this.paths = wanted.slice(0, MOST_CANDIDATES);
    if (this.paths.length < wanted.length) this.noticeMany(wanted.length);
    const kept = new Set(this.paths);
    for (const path of this.loaded.keys()) if (!kept.has(path)) this.loaded.delete(path);
    this.recent = undefined;
    this.onSet?.();
  }

  /** @param search ends when the candidates are set; until then nobody can tell which manifests there are */
  awaitSearch(search: Promise<unknown>): void {
    this.searching = search;
  }

  /** Absolute paths of the candidates, sorted. */
  get candidates(): readonly string[] {
    return this.paths;
  }

  /** @param listener is called when somebody says which candidates there are, or that one has another content */
  follow(listener: () => void): void {
    this.onSet = listener;
  }

  /** Reads the candidates; of two manifests with one name the first by path counts. */
  async read(): Promise<readonly ManifestInView[]> {
    await this.searching;
    const found = new Map<string, ManifestInView>();
    for (const { manifest } of await this.loadAll()) {
      const key = manifest && modelKey(manifest.name);
      if (manifest && key !== undefined && !found.has(key)) found.set(key, manifest);
    }
    return [...found.values()];
  }

  /** Candidates that are meant to be source manifests and are none yet; foreign documents are not among them. */
  async broken(): Promise<readonly BrokenManifest[]> {
    return (await this.loadAll()).flatMap(({ broken }) => broken ?? []);
  }

  /** The namesakes of the manifest at a path, by their absolute paths. */
  async namesakesOf(path: string): Promise<Namesakes | undefined> {
    return (await this.allNamesakes()).get(path);
  }

  /** The same as it was a moment ago, for whoever asks again and again; nobody looks where there is no other. */
  async recentNamesakesOf(path: string): Promise<Namesakes | undefined> {
    if (this.paths.every((other) => other === path)) return undefined;
    if (!this.recent || performance.now() > this.recent.until) {
      this.recent = { until: performance.now() + SURVEY_MS, namesakes: this.allNamesakes() };
    }
    return (await this.recent.namesakes).get(path);
  }

  /** Paths of the other manifests that say the same as one, its name included. */
  async twinsOf(path: string): Promise<readonly string[]> {
    const all = await this.loadAll();
    const content = all.find((candidate) => candidate.path === path)?.content;
    if (content === undefined) return [];
    return all.flatMap((other) => (other.path !== path && other.content === content ? [other.path] : []));
  }

  /** Every candidate that is there, valid or not. */
  async survey(): Promise<readonly CandidateOnDisk[]> {
    const all = await this.loadAll();
    const named = byName(all);
    return all.map((candidate) => ({
      path: candidate.path,
      stamp: candidate.stamp,
      namesakes: namesakesOf(candidate, named)
    }));
  }

  private async allNamesakes(): Promise<ReadonlyMap<string, Namesakes>> {
    const found = new Map<string, Namesakes>();
    for (const { path, namesakes } of await this.survey()) if (namesakes) found.set(path, namesakes);
    return found;
  }

  private async loadAll(): Promise<readonly LoadedManifest[]> {
    const { paths } = this;
    const all: LoadedManifest[] = [];
    for (let at = 0; at < paths.length; at += READ_AT_ONCE) {
      const read = await Promise.all(paths.slice(at, at + READ_AT_ONCE).map((path) => this.load(path)));
      all.push(...read.flatMap((loaded) => loaded ?? []));
    }
    return all;
  }

  /** A file that did not change since is not read again. @returns undefined when there is no file */
  private async load(path: string): Promise<LoadedManifest | undefined> {
    const stamp = await stampOf(path);
    if (stamp === undefined) return undefined;
    const known = this.loaded.get(path);
    if (known?.stamp === stamp) return known;
    const { manifest, broken } = await tryLoad(path, known !== undefined && isOurs(known));
    const loaded = { path, stamp, manifest, broken, content: manifest && contentOf(manifest) };
    this.loaded.set(path, loaded);
    return loaded;
  }

  private noticeMany(manifests: number): void {
    if (this.toldOfMany) return;
    this.toldOfMany = true;
    this.log.warn('not all manifests are looked at', { manifests, lookedAt: this.paths.length });
  }
}

/** What one look at the disk said. */
interface Survey {
  /** When it counts no more, in the milliseconds of `performance.now()`. */
  readonly until: number;
  readonly namesakes: Promise<ReadonlyMap<string, Namesakes>>;
}

interface LoadedManifest {
  readonly path: string;
  readonly stamp: string;
  /** undefined: what lies there is no valid manifest. */
  readonly manifest: ManifestInView | undefined;
  /** undefined: it is valid, or nobody can say that it is meant to be a manifest. */
  readonly broken: BrokenManifest | undefined;
  /** Equal for manifests that say the same. */
  readonly content: string | undefined;
}

/** The manifests of one name: how many there are of each content, and the first of them by path. */
interface NameGroup {
  count: number;
  readonly contents: Map<string, { count: number; readonly first: string }>;
}

type ByName = ReadonlyMap<string, NameGroup>;

/** Takes time for each manifest once, however many have one name. */
function byName(all: readonly LoadedManifest[]): ByName {
  const groups = new Map<string, NameGroup>();
  for (const { path, manifest, content } of all) {
    if (!manifest || content === undefined) continue;
    const key = modelKey(manifest.name);
    const group = groups.get(key) ?? { count: 0, contents: new Map() };
    const same = group.contents.get(content) ?? { count: 0, first: path };
    group.count += 1;
    same.count += 1;
    group.contents.set(content, same);
    groups.set(key, group);
  }
  return groups;
}

function namesakesOf({ manifest, content }: LoadedManifest, named: ByName): Namesakes | undefined {
  const group = manifest && named.get(modelKey(manifest.name));
  if (!group || content === undefined) return undefined;
  // Only the manifest's own content is passed over, so the first or second entry is it.
  for (const [other, { first }] of group.contents) {
    if (other !== content) return { count: group.count - (group.contents.get(content)?.count ?? 0), first };
  }
  return undefined;
}

function contentOf({ manifest }: ManifestInView): string {
  return createHash('sha256').update(JSON.stringify(manifest)).digest('base64');
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

function isOurs({ manifest, broken }: LoadedManifest): boolean {
  return manifest !== undefined || broken !== undefined;
}

/** @param wasOurs whether it was a source manifest when it was read last */
async function tryLoad(path: string, wasOurs: boolean): Promise<Pick<LoadedManifest, 'manifest' | 'broken'>> {
  try {
    const manifest = await loadSourceManifest(path);
    const name = parseModelName(manifest.name);
    return { manifest: name && { name, path, manifest }, broken: undefined };
  } catch (error) {
    // All its mistakes are shown where it is edited.
    const isInvalid = error instanceof Failure && error.code === 'invalid-manifest';
    return { manifest: undefined, broken: isInvalid ? await tryName(path, error.message, wasOurs) : undefined };
  }
}

async function tryName(path: string, problem: string, wasOurs: boolean): Promise<BrokenManifest | undefined> {
  const text = await readManifestText(path).catch(() => undefined);
  if (text === undefined) return undefined;
  const document = parseManifestText(text);
  const dialect = recognise(document, {
    path,
    liesInCacheRoot: false,
    // Files of other names are candidates because the user named them.
    matchesInclude: !hasCandidateName(path),
    previous: wasOurs ? 'source' : undefined
  });
  if (dialect !== 'source') return undefined;
  const name = parseModelName(stringOf(document.nodeAt(['name'])) ?? '');
  return { name: name ?? `${basename(dirname(path))}/${basename(path)}`, path, problem };
}

import { dirname, isAbsolute, relative } from 'node:path';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { hasCandidateName } from '../../shared/manifest/candidate';
import type { ManifestDiagnostic } from '../manifest/diagnostic';
import type { EntryMemory } from '../manifest/entry-memory';
import type { Dialect } from '../manifest/recognition/dialect';
import type { ManifestPatterns } from '../manifest/recognition/manifest-patterns';
import { type DocumentContext, type Recognition, recognition } from '../manifest/recognition/recognise';
import { duplicateName, type Namesakes } from '../manifest/rules/duplicate-name';
import { type BundleFolder, differencesFromDisk } from '../manifest/rules/on-disk';
import { contradictionsOfWeights, type InstalledWeights } from '../manifest/rules/weights';
import { type ManifestDocument, parseManifestText, parsing, stringOf } from '../manifest/text/document';
import { SlicedWork } from '../platform/sliced-work';
import { filePathOf, placeOf } from './file-path';
import { ManifestLook } from './manifest-look';

export interface ManifestDocumentsOptions {
  /** Absolute paths of the folders that hold bundles; manifests in them count even when they are broken. */
  readonly bundleFolders: readonly string[];
  /** Whether JSON syntax errors are ours to report. */
  readonly reportSyntax: boolean;
  /** What the user's settings name. */
  readonly patterns: ManifestPatterns;
  /** The namesakes of the manifest at a path, by their absolute paths. */
  readonly namesakesOf: (path: string) => Promise<Namesakes | undefined>;
  /** The bundle whose manifest lies at a path; undefined when it is no installed one's. */
  readonly bundleAt: (path: string) => Promise<BundleFolder | undefined>;
  /** What is known of the files of an installed model by their headers, by their paths. */
  readonly weightsOf: (name: string) => ReadonlyMap<string, InstalledWeights>;
}

/** The findings in a text, and whether they would be the same now, apart from what other manifests say. */
export interface Diagnosis {
  readonly diagnostics: readonly ManifestDiagnostic[];
  isCurrent(): boolean;
}

/** What is known of one version of a document. */
interface Examined {
  readonly version: number;
  /** undefined: it is no manifest. */
  readonly look: ManifestLook | undefined;
}

/** A version of a document that is being read. */
interface Reading {
  readonly version: number;
  readonly work: SlicedWork<ManifestDocument>;
  /** What it goes by. */
  readonly earlier: ManifestDocument | undefined;
}

/** What is known of the open documents; each version is examined once. */
export class ManifestDocuments {
  private readonly examined = new Map<string, Examined>();
  private readonly readings = new Map<string, Reading>();
  /** By path; stays when a document closes, for what it was counts on disk as well. */
  private readonly dialects = new Map<string, Dialect>();

  constructor(private readonly options: ManifestDocumentsOptions) {}

  /**
   * The findings in a document, with what only a look at the other manifests shows; none for foreign documents.
   * @returns undefined when the document has changed meanwhile
   */
  async diagnose(document: TextDocument): Promise<readonly ManifestDiagnostic[] | undefined> {
    const { uri, version } = document;
    const isCurrent = (): boolean => document.version === version;
    if (!(await this.reading(document)?.inSlices(isCurrent)) && !isCurrent()) return undefined;
    const look = this.look(document);
    if (!(await look?.diagnose(isCurrent)) && look) return undefined;
    const path = filePathOf(uri);
    const namesakes =
      look?.dialect === 'source' && path !== undefined ? await this.options.namesakesOf(path) : undefined;
    const { diagnostics } = await this.withSurroundings(uri, look, namesakes);
    return isCurrent() ? diagnostics : undefined;
  }

  /**
   * The same of a manifest that is not open.
   * @param namesakes by their absolute paths
   */
  async diagnoseUnopened(document: TextDocument, namesakes: Namesakes | undefined): Promise<Diagnosis> {
    const parsed = await new SlicedWork(parsing(document.getText())).inSlices(() => true);
    const look = parsed && this.examine(document.uri, parsed.value);
    await look?.diagnose(() => true);
    return this.withSurroundings(document.uri, look, namesakes);
  }

  /** What the text of a document shows; undefined for foreign documents. */
  look(document: TextDocument): ManifestLook | undefined {
    const { uri, version } = document;
    const parsed = this.reading(document)?.result;
    const known = this.examined.get(uri);
    if (!parsed) return known?.look;
    const look = this.examine(uri, parsed, known?.look);
    this.examined.set(uri, { version, look });
    this.readings.delete(uri);
    return look;
  }

  /** The findings that are known at once: of a text, and of what the headers of its installed files show. */
  findings(look: ManifestLook): readonly ManifestDiagnostic[] {
    return look.dialect === 'source' ? this.withContradictions(look, look.diagnostics) : look.diagnostics;
  }

  /** Why a text is treated as a manifest, or is not. @param text what the editor has at that address */
  recognition(uri: string, text: string): Recognition {
    return recognition(parseManifestText(text), this.contextOf(uri));
  }

  /** @param uri of a document that was closed */
  forget(uri: string): void {
    this.examined.delete(uri);
    this.readings.delete(uri);
  }

  /** @param path of a document that is no candidate any more */
  forgetDialect(path: string): void {
    this.dialects.delete(path);
  }

  /** The findings in a text with those that take more than the text. */
  private async withSurroundings(
    uri: string,
    look: ManifestLook | undefined,
    namesakes: Namesakes | undefined
  ): Promise<Diagnosis> {
    if (!look) return { diagnostics: [], isCurrent: () => true };
    if (look.dialect !== 'source') return this.withDifferences(uri, look);
    const name = stringOf(look.parsed.nodeAt(['name']));
    const weights = (): unknown => (name === undefined ? undefined : this.options.weightsOf(name));
    const seen = weights();
    const diagnostics = this.withContradictions(look, withClash(uri, look, namesakes));
    return { diagnostics, isCurrent: () => weights() === seen };
  }

  /** With what the files beside an installed manifest show; where its text has a finding already, that one counts. */
  private async withDifferences(uri: string, { parsed, dialect, diagnostics }: ManifestLook): Promise<Diagnosis> {
    const path = filePathOf(uri);
    const folder = path === undefined ? undefined : await this.options.bundleAt(path);
    if (!folder) return { diagnostics, isCurrent: () => true };
    const found = await differencesFromDisk(parsed, dialect, folder);
    const taken = new Set(diagnostics.map(({ start }) => start));
    const differences = found.filter(({ start }) => !taken.has(start));
    const all = [...diagnostics, ...differences].toSorted((one, other) => one.start - other.start);
    return { diagnostics: all, isCurrent: () => false };
  }

  private contextOf(uri: string): DocumentContext {
    const { bundleFolders, patterns } = this.options;
    const path = filePathOf(uri);
    return {
      path: uri,
      liesInCacheRoot: bundleFolders.some((folder) => liesIn(folder, uri)),
      // The editor sends other names only when the user's own patterns include them.
      matchesInclude: !hasCandidateName(uri) || (path !== undefined && patterns.including(path) !== undefined),
      excludedBy: path === undefined ? undefined : patterns.excluding(path),
      previous: this.dialects.get(placeOf(uri))
    };
  }

  /** With what the headers of its installed files show; where there is a finding already, that one counts. */
  private withContradictions(
    { parsed }: ManifestLook,
    rows: readonly ManifestDiagnostic[]
  ): readonly ManifestDiagnostic[] {
    const name = stringOf(parsed.nodeAt(['name']));
    const found = name === undefined ? [] : contradictionsOfWeights(parsed, this.options.weightsOf(name));
    if (found.length === 0) return rows;
    const taken = new Set(rows.map(({ start }) => start));
    const contradictions = found.filter(({ start }) => !taken.has(start));
    return [...rows, ...contradictions].toSorted((one, other) => one.start - other.start);
  }

  /** What reads a version that was not examined yet; undefined when it was. */
  private reading(document: TextDocument): SlicedWork<ManifestDocument> | undefined {
    const { uri, version } = document;
    const examined = this.examined.get(uri);
    if (examined?.version === version) return undefined;
    const begun = this.readings.get(uri);
    if (begun?.version === version) return begun.work;
    // A version that nobody waited for has taken over what did not change since the one before.
    const earlier = begun ? (begun.work.finished?.value ?? begun.earlier) : examined?.look?.parsed;
    const work = new SlicedWork(parsing(document.getText(), earlier));
    this.readings.set(uri, { version, work, earlier });
    return work;
  }

  /** @param before what an earlier version showed */
  private examine(uri: string, parsed: ManifestDocument, before?: ManifestLook): ManifestLook | undefined {
    const { dialect } = recognition(parsed, this.contextOf(uri));
    if (!dialect) return undefined;
    this.dialects.set(placeOf(uri), dialect);
    const { reportSyntax } = this.options;
    const memory: EntryMemory = before?.dialect === dialect ? before.memory : new WeakMap();
    return new ManifestLook(parsed, dialect, { reportSyntax }, memory);
  }
}

/** With the finding that others have the same name. A finding about the name itself comes first: one mistake, one row. */
function withClash(
  uri: string,
  { parsed, diagnostics }: ManifestLook,
  namesakes: Namesakes | undefined
): readonly ManifestDiagnostic[] {
  const path = filePathOf(uri);
  if (path === undefined || !namesakes) return diagnostics;
  const first = relative(dirname(path), namesakes.first).replaceAll('\\', '/');
  const clash = duplicateName(parsed, { ...namesakes, first });
  if (!clash || diagnostics.some(({ start }) => start === clash.start)) return diagnostics;
  const related = [{ file: namesakes.first, start: 0, end: 0, message: 'The other one is here.' }];
  return [...diagnostics, { ...clash, related }].toSorted((one, other) => one.start - other.start);
}

function liesIn(folder: string, uri: string): boolean {
  const file = filePathOf(uri);
  if (file === undefined) return false;
  const path = relative(folder, file);
  return path !== '' && !path.startsWith('..') && !isAbsolute(path);
}

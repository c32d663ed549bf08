import { dirname, isAbsolute, relative } from 'node:path';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { hasCandidateName } from '../../shared/manifest/candidate';
import type { ManifestDiagnostic } from '../manifest/diagnostic';
import { diagnose } from '../manifest/diagnostics';
import type { Dialect } from '../manifest/dialect';
import { type ManifestDocument, parseManifestText } from '../manifest/document';
import { recognise } from '../manifest/recognise';
import { duplicateName } from '../manifest/rules/duplicate-name';
import { type BundleFolder, differencesFromDisk } from '../manifest/rules/on-disk';
import { filePathOf } from './file-path';

export interface ManifestDocumentsOptions {
  /** Absolute paths of the folders that hold bundles; manifests in them count even when they are broken. */
  readonly bundleFolders: readonly string[];
  /** Whether JSON syntax errors are ours to report. */
  readonly reportSyntax: boolean;
  /** Paths of other manifests in view that have the name of the one at a path, and say something else. */
  readonly namesakesOf: (path: string) => Promise<readonly string[]>;
  /** The bundle whose manifest lies at a path; undefined when it is no installed one's. */
  readonly bundleAt: (path: string) => Promise<BundleFolder | undefined>;
}

/** One version of a manifest, and what its text alone shows. */
export interface ManifestLook {
  readonly parsed: ManifestDocument;
  readonly dialect: Dialect;
  readonly diagnostics: readonly ManifestDiagnostic[];
}

/** What is known of one version of a document. */
interface Examined {
  readonly version: number;
  /** undefined: it is no manifest. */
  readonly look: ManifestLook | undefined;
}

/** What is known of the open documents; each version is examined once. */
export class ManifestDocuments {
  private readonly examined = new Map<string, Examined>();
  private readonly dialects = new Map<string, Dialect>();

  constructor(private readonly options: ManifestDocumentsOptions) {}

  /** The findings in a document, with what only a look at the other manifests shows; none for foreign documents. */
  async diagnose(document: TextDocument): Promise<readonly ManifestDiagnostic[]> {
    const look = this.look(document);
    if (!look) return [];
    const { diagnostics, dialect, parsed } = look;
    const path = filePathOf(document.uri);
    if (path === undefined) return diagnostics;
    if (dialect !== 'source') return this.withDifferences(path, look);
    const others = await this.options.namesakesOf(path);
    const clash = duplicateName(
      parsed,
      others.map((other) => relative(dirname(path), other).replaceAll('\\', '/'))
    );
    // A finding about the name itself comes first: one mistake, one row.
    if (!clash || diagnostics.some(({ start }) => start === clash.start)) return diagnostics;
    return [...diagnostics, clash].toSorted((one, other) => one.start - other.start);
  }

  /** What the text of a document shows; undefined for foreign documents. */
  look(document: TextDocument): ManifestLook | undefined {
    return this.examine(document).look;
  }

  forget(uri: string): void {
    this.examined.delete(uri);
    this.dialects.delete(uri);
  }

  /** With what the files beside an installed manifest show; where its text has a finding already, that one counts. */
  private async withDifferences(path: string, { parsed, diagnostics }: ManifestLook) {
    const folder = await this.options.bundleAt(path);
    if (!folder) return diagnostics;
    const found = await differencesFromDisk(parsed, folder);
    const taken = new Set(diagnostics.map(({ start }) => start));
    const differences = found.filter(({ start }) => !taken.has(start));
    return [...diagnostics, ...differences].toSorted((one, other) => one.start - other.start);
  }

  private examine(document: TextDocument): Examined {
    const { uri, version } = document;
    const known = this.examined.get(uri);
    if (known?.version === version) return known;
    const parsed = parseManifestText(document.getText());
    const dialect = recognise(parsed, {
      path: uri,
      liesInCacheRoot: this.options.bundleFolders.some((folder) => liesIn(folder, uri)),
      // The editor sends other names only when the user's own patterns include them.
      matchesInclude: !hasCandidateName(uri),
      previous: this.dialects.get(uri)
    });
    if (dialect) this.dialects.set(uri, dialect);
    const { reportSyntax } = this.options;
    const look = dialect && { parsed, dialect, diagnostics: diagnose(parsed, dialect, { reportSyntax }) };
    const examined = { version, look };
    this.examined.set(uri, examined);
    return examined;
  }
}

function liesIn(folder: string, uri: string): boolean {
  const file = filePathOf(uri);
  if (file === undefined) return false;
  const path = relative(folder, file);
  return path !== '' && !path.startsWith('..') && !isAbsolute(path);
}

import { isAbsolute, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { hasCandidateName } from '../../shared/manifest/candidate';
import type { ManifestDiagnostic } from '../manifest/diagnostic';
import { diagnose } from '../manifest/diagnostics';
import type { Dialect } from '../manifest/dialect';
import { parseManifestText } from '../manifest/document';
import { recognise } from '../manifest/recognise';

export interface ManifestDocumentsOptions {
  /** Absolute paths of the folders that hold bundles; manifests in them count even when they are broken. */
  readonly bundleFolders: readonly string[];
  /** Whether JSON syntax errors are ours to report. */
  readonly reportSyntax: boolean;
}

interface Examined {
  readonly version: number;
  readonly diagnostics: readonly ManifestDiagnostic[];
}

/** What is known of the open documents; each version is examined once. */
export class ManifestDocuments {
  private readonly examined = new Map<string, Examined>();
  private readonly dialects = new Map<string, Dialect>();

  constructor(private readonly options: ManifestDocumentsOptions) {}

  /** The findings in a document; none for what is no model manifest. */
  diagnose(document: TextDocument): readonly ManifestDiagnostic[] {
    const { uri, version } = document;
    const known = this.examined.get(uri);
    if (known?.version === version) return known.diagnostics;
    const diagnostics = this.examine(document);
    this.examined.set(uri, { version, diagnostics });
    return diagnostics;
  }

  forget(uri: string): void {
    this.examined.delete(uri);
    this.dialects.delete(uri);
  }

  private examine(document: TextDocument): readonly ManifestDiagnostic[] {
    const { uri } = document;
    const parsed = parseManifestText(document.getText());
    const dialect = recognise(parsed, {
      path: uri,
      liesInCacheRoot: this.options.bundleFolders.some((folder) => liesIn(folder, uri)),
      // The editor sends other names only when the user's own patterns include them.
      matchesInclude: !hasCandidateName(uri),
      previous: this.dialects.get(uri)
    });
    if (dialect === undefined) return [];
    this.dialects.set(uri, dialect);
    return diagnose(parsed, dialect, { reportSyntax: this.options.reportSyntax });
  }
}

function liesIn(folder: string, uri: string): boolean {
  if (!uri.startsWith('file:')) return false;
  const path = relative(folder, fileURLToPath(uri));
  return path !== '' && !path.startsWith('..') && !isAbsolute(path);
}

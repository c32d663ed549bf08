import type * as z from 'zod';
import { type InstalledManifest, installedManifest } from '../../shared/manifest/installed-manifest';
import { type SourceManifest, sourceManifest } from '../../shared/manifest/source-manifest';
import type { ManifestDiagnostic } from './diagnostic';
import { diagnose } from './diagnostics';
import type { Dialect } from './recognition/dialect';
import { parseManifestText, valueOf } from './text/document';

/** A manifest that may be relied on, or the errors that forbid it, in document order. */
export type ManifestReading<Manifest> =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly problems: readonly ManifestDiagnostic[] };

/**
 * Reads a source manifest by the rules that the editor shows; warnings and hints do not matter here. Digests come
 * back in lower case without white space.
 */
export function readSourceManifest(text: string): ManifestReading<SourceManifest> {
  return read(text, 'source', sourceManifest);
}

/** Reads the manifest of an installed bundle; otherwise as {@link readSourceManifest}. */
export function readInstalledManifest(text: string): ManifestReading<InstalledManifest> {
  return read(text, 'installed', installedManifest);
}

function read<Manifest>(text: string, dialect: Dialect, schema: z.ZodType<Manifest>): ManifestReading<Manifest> {
  const document = parseManifestText(text);
  const problems = diagnose(document, dialect, { reportSyntax: true }).filter(({ severity }) => severity === 'error');
  if (!document.root || problems.length > 0) return { ok: false, problems };
  return { ok: true, manifest: schema.parse(valueOf(document.root)) };
}

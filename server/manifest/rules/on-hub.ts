import { type Digest, parseDigest } from '../../../shared/digest';
import type { Finding, ManifestDiagnostic } from '../diagnostic';
import { byteCountOf, fileEntries } from '../files';
import { type HubFile, hubFileOf } from '../hub-file';
import { type ManifestDocument, rangeOf, stringOf } from '../text/document';

/** What the hub says of a file. */
export type FileOnHub =
  | { readonly kind: 'listed'; readonly bytes: number; readonly sha256: Digest | null }
  /** The revision is there, the file is not. */
  | { readonly kind: 'no-file' }
  /** Neither the repository nor the revision can be seen. */
  | { readonly kind: 'no-revision' };

/** Findings that only the hub shows. Apart from the other rules, for it needs more than a text. */
export async function differencesFromHub(
  document: ManifestDocument,
  look: (file: HubFile) => Promise<FileOnHub>
): Promise<readonly ManifestDiagnostic[]> {
  const findings: Finding[] = [];
  for (const entry of fileEntries(document)) {
    const fields = document.fieldsOf(entry);
    const url = fields.get('url')?.value;
    const file = hubFileOf(stringOf(url) ?? '');
    if (!url || !file) continue;
    const found = await look(file);
    const { owner, repo, revision, path } = file;
    if (found.kind === 'listed') {
      const size = fields.get('size_bytes')?.value;
      const bytes = byteCountOf(size);
      const digest = fields.get('sha256')?.value;
      const sha256 = parseDigest(stringOf(digest) ?? '');
      if (size && bytes !== undefined && bytes !== found.bytes) {
        const message = `The hub declares ${found.bytes} bytes for ${path}, not ${bytes}.`;
        findings.push({ code: 'hub-differs', message, ...rangeOf(size) });
      }
      if (digest && sha256 !== undefined && found.sha256 !== null && sha256 !== found.sha256) {
        const message = `The hub declares the SHA-256 ${found.sha256} for ${path}.`;
        findings.push({ code: 'hub-differs', message, ...rangeOf(digest) });
      }
      continue;
    }
    const message =
      found.kind === 'no-file'
        ? `${owner}/${repo} holds no file ${path} in “${revision}”; check the path.`
        : `The hub shows no ${owner}/${repo} with the revision “${revision}”; check the names, and whether a token is needed.`;
    findings.push({ code: 'not-on-hub', message, ...rangeOf(url) });
  }
  return findings.map((finding) => ({ severity: 'error', ...finding }));
}

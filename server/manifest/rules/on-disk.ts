import type { Node } from 'jsonc-parser';
import { parseDigest } from '../../../shared/digest';
import type { Finding, ManifestDiagnostic, TextRange } from '../diagnostic';
import { fileEntries } from '../files';
import { type Dialect, FILE_NAME_FIELDS } from '../recognition/dialect';
import { type ManifestDocument, rangeOf, stringOf, valueOf } from '../text/document';

/** What lies at the path of a file in a bundle. */
export type FileOnDisk =
  | { readonly kind: 'absent' }
  /** A folder, a symbolic link, a pipe, or something that cannot be looked at. */
  | { readonly kind: 'unusable' }
  /** `digest`: what was read when the file was as it is; absent when nobody knows. */
  | { readonly kind: 'file'; readonly bytes: number; readonly digest?: string };

/** The folder of an installed bundle, as the rule needs to see it. */
export interface BundleFolder {
  /** @param path relative to the folder, as manifests write it */
  look(path: string): Promise<FileOnDisk>;
  /** Paths of all files in the folder but its manifest. */
  files(): Promise<readonly string[]>;
  /** What changed in the manifest that the model is pulled from; undefined: nothing, or there is none. */
  change(): Promise<SourceChange | undefined>;
}

/** A manifest asks for something else than what was installed by it. */
export interface SourceChange {
  /** A sentence that says what, and what to do. */
  readonly reason: string;
  /** Absolute path of that manifest; absent when it is no local file. */
  readonly file?: string;
}

/**
 * Findings about a manifest that only the files of the installed model show. Apart from the other rules, for it needs
 * more than a text. Nothing is read: a digest differs only where that is known.
 */
export async function differencesFromDisk(
  document: ManifestDocument,
  dialect: Dialect,
  folder: BundleFolder
): Promise<readonly ManifestDiagnostic[]> {
  const cure = dialect === 'installed' ? 'heal the model' : 'pull the model';
  const listed = new Set<string>();
  const findings: Finding[] = [];
  for (const entry of fileEntries(document)) {
    const fields = document.fieldsOf(entry);
    const node = fields.get(FILE_NAME_FIELDS[dialect])?.value;
    const path = stringOf(node);
    if (!node || path === undefined) continue;
    listed.add(path);
    const nodes = { path: node, size: fields.get('size_bytes')?.value, digest: fields.get('sha256')?.value };
    const finding = difference(path, nodes, await folder.look(path), cure);
    if (finding) findings.push(finding);
  }
  const surplus = (await folder.files()).filter((path) => !listed.has(path));
  const change = dialect === 'installed' ? await folder.change() : undefined;
  return [...findings, ...extraFiles(document, surplus), ...outdated(document, change)].map((finding) => ({
    severity: 'error',
    ...finding
  }));
}

interface EntryNodes {
  readonly path: Node;
  readonly size: Node | undefined;
  readonly digest: Node | undefined;
}

function difference(path: string, nodes: EntryNodes, found: FileOnDisk, cure: string): Finding | undefined {
  if (found.kind === 'absent') {
    return { code: 'missing-file', message: `${path} is not in the folder; ${cure}.`, ...rangeOf(nodes.path) };
  }
  if (found.kind === 'unusable') {
    const message = `What lies at ${path} is not a file that can be read; ${cure}.`;
    return { code: 'missing-file', message, ...rangeOf(nodes.path) };
  }
  const bytes = nodes.size && valueOf(nodes.size);
  if (nodes.size && typeof bytes === 'number' && bytes !== found.bytes) {
    const message = `${path} has ${found.bytes} bytes, not ${bytes}; ${cure}.`;
    return { code: 'size-differs', message, ...rangeOf(nodes.size) };
  }
  const digest = parseDigest(stringOf(nodes.digest) ?? '');
  if (!nodes.digest || digest === undefined || found.digest === undefined || found.digest === digest) return undefined;
  const message = `The SHA-256 of ${path} is ${found.digest}; ${cure}.`;
  return { code: 'digest-differs', message, ...rangeOf(nodes.digest) };
}

/** One row for all: they have no place of their own in the text. */
function extraFiles(document: ManifestDocument, paths: readonly string[]): Finding[] {
  const [first, ...others] = paths;
  const place = placeOfFiles(document);
  if (first === undefined || !place) return [];
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  const message = `The folder also holds ${first}${more}, which the manifest does not list; remove what does not belong.`;
  return [{ code: 'extra-file', severity: 'warning', message, ...place }];
}

/** At the name: what changed stands in another text. */
function outdated(document: ManifestDocument, change: SourceChange | undefined): Finding[] {
  const name = document.nodeAt(['name']);
  if (!change || !name) return [];
  const message = `The manifest that this model is pulled from has changed. ${change.reason}`;
  const { file } = change;
  const related = file === undefined ? [] : [{ message: 'It is pulled from here.', file, start: 0, end: 0 }];
  return [{ code: 'outdated', severity: 'warning', message, ...rangeOf(name), related }];
}

function placeOfFiles(document: ManifestDocument): TextRange | undefined {
  const files = document.nodeAt(['files']);
  return files && { start: files.offset, end: files.offset + 1 };
}

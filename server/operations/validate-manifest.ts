import { hasCandidateName } from '../../shared/manifest/candidate';
import { parseModelName } from '../../shared/model-name';
import type { ManifestDiagnostic } from '../manifest/diagnostic';
import { diagnose } from '../manifest/diagnostics';
import type { Dialect } from '../manifest/dialect';
import { type ManifestDocument, parseManifestText, stringOf } from '../manifest/document';
import { explainRecognition } from '../manifest/explain-recognition';
import { LineIndex, type Position } from '../manifest/positions';
import { recognition } from '../manifest/recognise';
import { differencesFromDisk } from '../manifest/rules/on-disk';
import { differencesFromHub } from '../manifest/rules/on-hub';
import { bundleNamed, bundleOnDisk } from './bundle-on-disk';
import { HubFacts } from './hub-facts';
import { readManifestText } from './manifest-file';
import type { Services } from './services';

/** A finding with its place in the file; line and character count from 0, in UTF-16 units. */
export interface PlacedDiagnostic extends ManifestDiagnostic {
  readonly from: Position;
  readonly to: Position;
}

/** What a file is and what is wrong with it. */
export interface Validation {
  readonly path: string;
  /** undefined: not a model manifest, so nothing is said about it. */
  readonly dialect: Dialect | undefined;
  /** Why it is one, or is none. */
  readonly explanation: string;
  readonly diagnostics: readonly PlacedDiagnostic[];
}

/** What a manifest is compared with, besides the rules that editors show. */
export interface Comparisons {
  /** What is installed under the name of the model; nothing is read. */
  readonly disk: boolean;
  /** What the hub has. */
  readonly online: boolean;
  readonly services: Services;
  readonly signal: AbortSignal;
}

/**
 * Examines a manifest file by the rules that editors show, and compares it with what is asked for.
 * @param path absolute path
 * @throws Failure when the file cannot be read, or the hub cannot be asked
 */
export async function validateManifest(path: string, comparisons?: Comparisons): Promise<Validation> {
  const text = await readManifestText(path);
  const document = parseManifestText(text);
  const recognised = recognition(document, {
    path,
    liesInCacheRoot: false,
    // Whoever names a file of another name means it to be a manifest.
    matchesInclude: !hasCandidateName(path),
    previous: undefined
  });
  const { dialect } = recognised;
  const explanation = explainRecognition(recognised);
  if (dialect === undefined) return { path, dialect, explanation, diagnostics: [] };
  const lines = new LineIndex(text);
  const found = diagnose(document, dialect, { reportSyntax: true });
  const all = comparisons ? merged(found, await compare(document, dialect, path, comparisons)) : found;
  const diagnostics = all.map((diagnostic) => ({
    ...diagnostic,
    from: lines.positionAt(diagnostic.start),
    to: lines.positionAt(diagnostic.end)
  }));
  return { path, dialect, explanation, diagnostics };
}

async function compare(
  document: ManifestDocument,
  dialect: Dialect,
  path: string,
  { disk, online, services, signal }: Comparisons
): Promise<readonly ManifestDiagnostic[]> {
  const name = parseModelName(stringOf(document.nodeAt(['name'])) ?? '');
  const bundle = dialect === 'installed' ? bundleOnDisk(services, path) : name && bundleNamed(services, name);
  const folder = disk && dialect !== 'artifact' ? await bundle : undefined;
  const differences = folder ? await differencesFromDisk(document, dialect, folder) : [];
  if (!online || dialect !== 'source') return differences;
  const hub = new HubFacts(services, { alias: stringOf(document.nodeAt(['credential_alias'])), signal });
  return [...differences, ...(await differencesFromHub(document, (file) => hub.look(file)))];
}

/** One mistake, one row: where both have a finding, advice gives way to what is certainly wrong. */
function merged(
  found: readonly ManifestDiagnostic[],
  differences: readonly ManifestDiagnostic[]
): readonly ManifestDiagnostic[] {
  const certain = new Set(found.filter((finding) => !isAdvice(finding)).map(({ start }) => start));
  const added = new Map<number, ManifestDiagnostic>();
  for (const difference of differences) {
    if (!certain.has(difference.start) && !added.has(difference.start)) added.set(difference.start, difference);
  }
  const kept = found.filter((finding) => !added.has(finding.start));
  return [...kept, ...added.values()].toSorted((one, other) => one.start - other.start);
}

function isAdvice({ severity }: ManifestDiagnostic): boolean {
  return severity === 'hint' || severity === 'information';
}

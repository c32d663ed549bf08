import { Failure } from '../../../shared/failure';
import { hasCandidateName } from '../../../shared/manifest/candidate';
import { parseModelName } from '../../../shared/model-name';
import type { ManifestDiagnostic } from '../../manifest/diagnostic';
import { diagnose } from '../../manifest/diagnostics';
import type { Dialect } from '../../manifest/recognition/dialect';
import { explainRecognition } from '../../manifest/recognition/explain-recognition';
import { recognition } from '../../manifest/recognition/recognise';
import { differencesFromDisk } from '../../manifest/rules/on-disk';
import { differencesFromHub } from '../../manifest/rules/on-hub';
import { contradictionsOfWeights } from '../../manifest/rules/weights';
import { type ManifestDocument, parseManifestText, stringOf } from '../../manifest/text/document';
import { LineIndex, type Position } from '../../manifest/text/positions';
import type { HubFacts } from '../hub/hub-facts';
import type { Services } from '../services';
import { bundleNamed, bundleOnDisk } from './bundle-on-disk';
import { readManifestText } from './manifest-file';

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
  /** Why it could not be compared with the hub; undefined when it was, or nobody asked for that. */
  readonly hubFailure?: Failure | undefined;
}

/** What a manifest is compared with, besides the rules that editors show. */
export interface Comparisons {
  /** What is installed under the name of the model; nothing is read. */
  readonly disk: boolean;
  /** What the hub has, as it is asked with the credential of an alias; undefined: it is not asked. */
  readonly hub: ((alias: string | undefined) => HubFacts) | undefined;
  readonly services: Services;
}

/**
 * Examines a manifest file by the rules that editors show, and compares it with what is asked for.
 * @param path absolute path
 * @throws Failure when the file cannot be read
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
  const onDisk = comparisons ? await compareWithDisk(document, dialect, path, comparisons) : [];
  const online = await compareWithHub(document, dialect, comparisons?.hub);
  const byNames = dialect === 'source' ? contradictionsOfWeights(document, new Map()) : [];
  const all = merged(found, [...onDisk, ...online.differences, ...byNames]);
  const diagnostics = all.map((diagnostic) => ({
    ...diagnostic,
    from: lines.positionAt(diagnostic.start),
    to: lines.positionAt(diagnostic.end)
  }));
  return { path, dialect, explanation, diagnostics, hubFailure: online.failure };
}

async function compareWithDisk(
  document: ManifestDocument,
  dialect: Dialect,
  path: string,
  { disk, services }: Comparisons
): Promise<readonly ManifestDiagnostic[]> {
  const name = parseModelName(stringOf(document.nodeAt(['name'])) ?? '');
  const bundle = dialect === 'installed' ? bundleOnDisk(services, path) : name && bundleNamed(services, name);
  const folder = disk && dialect !== 'artifact' ? await bundle : undefined;
  return folder ? differencesFromDisk(document, dialect, folder) : [];
}

interface HubComparison {
  readonly differences: readonly ManifestDiagnostic[];
  readonly failure?: Failure;
}

/** A hub that cannot be asked leaves the other findings what they are. */
async function compareWithHub(
  document: ManifestDocument,
  dialect: Dialect,
  hub: Comparisons['hub']
): Promise<HubComparison> {
  if (!hub || dialect !== 'source') return { differences: [] };
  const facts = hub(stringOf(document.nodeAt(['credential_alias'])));
  try {
    return { differences: await differencesFromHub(document, (file) => facts.look(file)) };
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
    return { differences: [], failure: error };
  }
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

import type { ManifestKnowledge } from '../../../server/manifest/knowledge';
import type { WeightsDescription } from '../../../server/weights/describe';
import type { ModelSummary } from '../../../shared/model';

/** Knowledge for tests; what is not given is unknown. */
export function knowing({
  aliases = [],
  entries = {},
  models = [],
  holders = {},
  weights = {},
  canPublish = false
}: {
  readonly aliases?: readonly string[];
  /** Entries by folder; names with a slash at the end are folders. */
  readonly entries?: Readonly<Record<string, readonly string[]>>;
  readonly models?: readonly ModelSummary[];
  readonly holders?: Readonly<Record<string, readonly string[]>>;
  /** By the path of the file, of whatever model. */
  readonly weights?: Readonly<Record<string, WeightsDescription>>;
  readonly canPublish?: boolean;
} = {}): ManifestKnowledge {
  return {
    credentialAliases: () => Promise.resolve(aliases),
    entriesOf: (folder) =>
      Promise.resolve(
        (entries[folder] ?? []).map((entry) => ({ name: entry.replace(/\/$/, ''), isFolder: entry.endsWith('/') }))
      ),
    model: (name) => Promise.resolve(models.find((model) => model.name === name)),
    weights: (_, path) => Promise.resolve(weights[path]),
    holdersOf: (digest) => Promise.resolve(holders[digest] ?? []),
    canPublish
  };
}

/** An installed or registered model for tests. */
export function modelNamed(name: string, fields: Partial<ModelSummary> = {}): ModelSummary {
  return { name, status: 'registered', files: [], ...fields };
}

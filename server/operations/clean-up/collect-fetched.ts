import { type Digest, parseDigest } from '../../../shared/digest';
import type { Services } from '../services';

/** What a collection does to the artifacts of team stores. */
export interface CollectedFetches {
  /** How many links to each content go, or would go. */
  readonly linksGone: ReadonlyMap<Digest, number>;
  /** The contents of the artifacts that stay. */
  readonly used: () => Promise<ReadonlySet<Digest>>;
}

/**
 * Removes the artifacts that no installed model was made of: each as a whole, before its contents can go. An artifact of
 * a fetch under way may go too, which takes nothing from the model.
 */
export async function collectFetched(
  { registry, fetched }: Pick<Services, 'registry' | 'fetched'>,
  dryRun: boolean
): Promise<CollectedFetches> {
  const installed = await installedArtifacts(registry);
  const gone = new Set<Digest>();
  const linksGone = new Map<Digest, number>();
  for (const [combined, contents] of await fetched.list()) {
    if (installed.has(combined)) continue;
    gone.add(combined);
    for (const digest of contents) linksGone.set(digest, (linksGone.get(digest) ?? 0) + 1);
    if (!dryRun) await fetched.remove(combined);
  }
  const used = async (): Promise<ReadonlySet<Digest>> => {
    const left = [...(await fetched.list())].filter(([combined]) => !gone.has(combined) || !dryRun);
    return new Set(left.flatMap(([, contents]) => contents));
  };
  return { linksGone, used };
}

async function installedArtifacts(registry: Services['registry']): Promise<ReadonlySet<Digest>> {
  const entries = await registry.read();
  return new Set(
    entries.flatMap(({ installed, publication }) =>
      installed && publication ? (parseDigest(publication.combined) ?? []) : []
    )
  );
}

import { cancelled, Failure } from '../../../shared/failure';
import type { HubCacheHealedFile } from '../../../shared/hub-cache';
import type { Hasher } from '../../platform/hasher';
import { fileFailure } from '../../platform/system-error';
import type { CachedRepository } from './cache-contents';
import { leadPointer } from './lead-pointer';
import { planHealing, type Repair } from './plan-healing';
import { type NewContent, replaceContent } from './replace-content';
import type { JudgedFile } from './verify-repository';

export interface HealingTools {
  /** The cache, absolute and without links. */
  readonly root: string;
  readonly hasher: Hasher;
  readonly signal: AbortSignal;
  /** Brings a content to this machine. @throws Failure */
  readonly fetch: (repair: Repair) => Promise<NewContent>;
}

/** What became of the corrupt files of a repository. */
export interface RepositoryHealing {
  readonly files: readonly HubCacheHealedFile[];
  /** Contents that were put in order. */
  readonly repairs: readonly Repair[];
}

/**
 * Brings back what is corrupt, each content once, and makes every file that needs it lead to it. Refs, other
 * revisions and other repositories are left alone; one content that cannot be had keeps none of the others.
 * @throws Failure('cancelled')
 */
export async function healRepository(
  repository: CachedRepository,
  judged: readonly JudgedFile[],
  tools: HealingTools
): Promise<RepositoryHealing> {
  const { repairs, kept } = planHealing(repository, judged);
  const files: HubCacheHealedFile[] = kept.map(({ file, reason }) => ({ ...placeOf(file), outcome: 'kept', reason }));
  const done: Repair[] = [];
  for (const repair of repairs) {
    if (tools.signal.aborted) throw cancelled('Healing');
    try {
      await replaceContent(
        { ...repair, blobs: repository.places.blobs },
        { ...tools, fetch: () => tools.fetch(repair) }
      );
      for (const pointer of repair.pointers) await leadPointer(tools.root, pointer, repair.target);
      files.push(...repair.files.map((file) => ({ ...placeOf(file), outcome: 'healed' as const })));
      done.push(repair);
    } catch (error) {
      const failure = fileFailure(error, 'The cache cannot be written to.', repair.target);
      if (!(failure instanceof Failure) || failure.code === 'cancelled') throw failure;
      const { message, nextStep } = failure;
      const reason = nextStep === undefined ? message : `${message} ${nextStep}`;
      files.push(...repair.files.map((file) => ({ ...placeOf(file), outcome: 'failed' as const, reason })));
    }
  }
  return { files, repairs: done };
}

function placeOf({ verdict: { commit, path } }: JudgedFile): Pick<HubCacheHealedFile, 'commit' | 'path'> {
  return { commit, path };
}

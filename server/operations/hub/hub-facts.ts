import { Failure } from '../../../shared/failure';
import type { HubListings, ListedFile, RevisionListing } from '../../huggingface/hub-listing';
import type { HubFile } from '../../manifest/hub-file';
import type { FileOnHub } from '../../manifest/rules/on-hub';
import type { HttpSourceOptions } from '../../pull/http/http-source';
import { hubAccess, hubListings } from '../pull/source-of';
import type { Services } from '../services';
import { requireTrust } from '../trust';

/** Which part of the hub is asked, and who waits for the answer. */
export interface HubQuestion {
  /** The credential that the manifest names. */
  readonly alias: string | undefined;
  readonly signal: AbortSignal;
}

/** What the hub says of repositories, for somebody who waits for it: asked once for each revision, and not patiently. */
export class HubFacts {
  private readonly listings: HubListings;
  /** By revision. What failed once fails for whoever waits for the same answer. */
  private readonly asked = new Map<string, Promise<RevisionListing | undefined>>();
  private access: Promise<HttpSourceOptions> | undefined;

  constructor(
    private readonly services: Services,
    private readonly question: HubQuestion
  ) {
    this.listings = hubListings(services, { attempts: 1 });
  }

  /**
   * Every file of a revision.
   * @throws Failure('untrusted-workspace', 'credential-missing', 'network', …) with a sentence for whoever asked
   */
  async listing(revision: Pick<HubFile, 'owner' | 'repo' | 'revision'>): Promise<RevisionListing> {
    const listing = await this.ask(revision);
    if (listing) return listing;
    throw new Failure('bad-response', `The hub lists no files of ${nameOf(revision)}.`, {
      subject: nameOf(revision),
      nextStep: 'Check the names of the owner, the repository and the revision, and whether a token is needed.'
    });
  }

  /** Whether the hub has a file, and what it says of it. @throws Failure when that cannot be asked */
  async look(file: HubFile): Promise<FileOnHub> {
    const listing = await this.ask(file);
    if (!listing) return { kind: 'no-revision' };
    const listed = listing.files.get(file.path);
    return listed ? { kind: 'listed', ...listed } : { kind: 'no-file' };
  }

  private ask(revision: Pick<HubFile, 'owner' | 'repo' | 'revision'>): Promise<RevisionListing | undefined> {
    const name = nameOf(revision);
    const asked = this.asked.get(name) ?? this.askNow(revision);
    this.asked.set(name, asked);
    return asked;
  }

  private async askNow(revision: Pick<HubFile, 'owner' | 'repo' | 'revision'>): Promise<RevisionListing | undefined> {
    const { services, question } = this;
    requireTrust(services, 'Asking the hub');
    this.access ??= hubAccess(services, question.alias);
    const address = { kind: 'hub', path: '', ...revision } as const;
    return this.listings.of(address, { ...(await this.access), signal: question.signal });
  }

  /** What the hub says of a file. @throws Failure */
  async file(file: HubFile): Promise<ListedFile> {
    const listed = (await this.listing(file)).files.get(file.path);
    if (listed) return listed;
    throw new Failure('bad-response', `${nameOf(file)} holds no file ${file.path}.`, {
      subject: file.path,
      nextStep: 'Check the path; upper and lower case matter.'
    });
  }

  /** The commit that a revision means now. @throws Failure */
  async commit(file: Pick<HubFile, 'owner' | 'repo' | 'revision'>): Promise<string> {
    const { commit } = await this.listing(file);
    if (commit !== null) return commit;
    throw new Failure('bad-response', `The hub does not say which commit ${nameOf(file)} is.`, {
      subject: nameOf(file),
      nextStep: 'A mirror may not know; name the commit that the page of the repository shows.'
    });
  }
}

/** The hub as the manifests of one command ask it: those with one credential share what it says. */
export function sharedHubFacts(services: Services, signal: AbortSignal): (alias: string | undefined) => HubFacts {
  const facts = new Map<string | undefined, HubFacts>();
  return (alias) => {
    const known = facts.get(alias) ?? new HubFacts(services, { alias, signal });
    facts.set(alias, known);
    return known;
  };
}

function nameOf({ owner, repo, revision }: Pick<HubFile, 'owner' | 'repo' | 'revision'>): string {
  return `hf:${owner}/${repo}@${revision}`;
}

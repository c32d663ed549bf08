import * as z from 'zod';
import { type Digest, parseDigest } from '../../shared/digest';
import { Failure, messageOf } from '../../shared/failure';
import type { Clock } from '../platform/clock';
import type { Log } from '../platform/log';
import { type DocumentOptions, type HttpDocument, readDocument } from '../pull/http/http-document';
import { patiently } from '../pull/http/patiently';
import { TransientFault } from '../pull/source';
import { type HubAddress, hubTreeUrl } from './hub-address';

/** What the hub says of a file before it is fetched. */
export interface ListedFile {
  readonly bytes: number;
  /** Of a large file. */
  readonly sha256: Digest | null;
  /** SHA-1 of the git object of a small file: 40 hexadecimal digits. */
  readonly gitSha1: string | null;
}

/** The files of a repository in one revision. */
export interface RevisionListing {
  /** The commit that the revision means now; null when the hub does not say. */
  readonly commit: string | null;
  /** By path in the repository. */
  readonly files: ReadonlyMap<string, ListedFile>;
}

export interface HubListingsOptions {
  /** The user's HF_ENDPOINT, or undefined. */
  readonly endpoint: string | undefined;
  readonly log: Log;
  readonly clock: Pick<Clock, 'sleep'>;
  /** How often a listing is asked for when that fails for a moment; absent: as often as a transfer. */
  readonly attempts?: number | undefined;
}

/** A page of the hub has at most a thousand entries; the largest ones measured stay far below. */
const LARGEST_PAGE_BYTES = 16 * 1024 * 1024;

/** Pages of one listing. */
const MOST_PAGES = 200;

const page = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    size: z.int().min(0),
    oid: z.string(),
    lfs: z.object({ oid: z.string(), size: z.int().min(0) }).nullish()
  })
);

/** The listings that one pull needs: one for each repository and revision, however many files it has. */
export class HubListings {
  private readonly asked = new Map<string, Promise<RevisionListing | undefined>>();

  constructor(private readonly options: HubListingsOptions) {}

  /**
   * Lists the revision that an address names.
   * @returns undefined when there is none: mirrors often serve files only
   * @throws Failure: going on without a listing would silently prove and pin less
   */
  of(address: HubAddress, options: Omit<DocumentOptions, 'mostBytes'>): Promise<RevisionListing | undefined> {
    const { endpoint, log } = this.options;
    const first = hubTreeUrl(address, endpoint);
    let listing = this.asked.get(first);
    if (!listing) {
      listing = this.readPatiently(first, options).catch((error: unknown) => {
        if (!isAnswerOfMirror(error)) {
          this.asked.delete(first);
          throw error;
        }
        log.info('hub listing not used', { repository: `${address.owner}/${address.repo}`, reason: messageOf(error) });
        return undefined;
      });
      this.asked.set(first, listing);
    }
    return listing;
  }

  private readPatiently(first: string, options: Omit<DocumentOptions, 'mostBytes'>): Promise<RevisionListing> {
    const { clock, attempts } = this.options;
    const patience = { clock, attempts, signal: options.signal, isFinal: isAnswerOfMirror };
    return patiently(() => readListing(first, options), patience);
  }
}

const NO_LISTINGS: ReadonlySet<number> = new Set([404, 405, 501]);

/** Whether a server has no listings, or answers with what is none. */
function isAnswerOfMirror(error: unknown): boolean {
  const failure = error instanceof TransientFault ? error.failure : error;
  if (failure instanceof Failure) return failure.code === 'bad-response' || NO_LISTINGS.has(failure.status ?? 0);
  return failure instanceof SyntaxError || failure instanceof z.ZodError;
}

async function readListing(first: string, options: Omit<DocumentOptions, 'mostBytes'>): Promise<RevisionListing> {
  const files = new Map<string, ListedFile>();
  let commit: string | null = null;
  let address: string | undefined = first;
  for (let pages = 0; address !== undefined; pages += 1) {
    if (pages === MOST_PAGES) throw new Failure('bad-response', 'The listing does not end.', { subject: first });
    const document: HttpDocument = await readDocument(address, { ...options, mostBytes: LARGEST_PAGE_BYTES });
    const here = commitOf(document);
    if (pages > 0 && here !== commit) throw here === null || commit === null ? untold(first) : changed(first);
    commit = here;
    for (const { type, path, size, oid, lfs } of page.parse(JSON.parse(document.text))) {
      if (type === 'file') files.set(path, lfs ? largeFile(lfs) : smallFile(size, oid));
    }
    address = nextPage(document, first);
  }
  return { commit, files };
}

function largeFile({ oid, size }: { readonly oid: string; readonly size: number }): ListedFile {
  return { bytes: size, sha256: parseDigest(oid) ?? null, gitSha1: null };
}

function smallFile(bytes: number, oid: string): ListedFile {
  return { bytes, sha256: null, gitSha1: /^[0-9a-f]{40}$/.test(oid) ? oid : null };
}

function commitOf(document: HttpDocument): string | null {
  const commit = document.header('x-repo-commit');
  return commit !== undefined && /^[0-9a-f]{40}$/.test(commit) ? commit : null;
}

/** `<address>; rel="next"`, on the same origin (RFC 8288). */
function nextPage(document: HttpDocument, first: string): string | undefined {
  const [, link] = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(document.header('link') ?? '') ?? [];
  if (link === undefined) return undefined;
  if (URL.canParse(link, first) && new URL(link, first).origin === new URL(first).origin)
    return new URL(link, first).href;
  throw new Failure('bad-response', 'The listing goes on at another host.', { subject: first });
}

/** As mirrors do that know nothing of commits: nothing tells whether the pages belong together. */
function untold(subject: string): Failure {
  return new Failure('bad-response', 'Not every page of the listing says which commit it is of.', { subject });
}

/** Somebody pushed between two pages; all of them asked for anew belong together. */
function changed(subject: string): TransientFault {
  const nextStep = 'Try again when nobody pushes to the repository.';
  return new TransientFault(new Failure('busy', 'The revision changed while it was listed.', { subject, nextStep }));
}

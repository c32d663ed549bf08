import * as z from 'zod';
import { Failure, messageOf } from '../../../shared/failure';
import { MOST_FILES } from '../../../shared/manifest/source-manifest';
import { isHubName } from '../../../shared/source-address';
import { hubAddress } from '../../huggingface/hub-address';
import type { HubRevision } from '../../manifest/completion/completion';
import { weightsAmong } from '../../manifest/new-manifest';
import { readDocument } from '../../pull/http/http-document';
import { hubAccess } from '../pull/source-of';
import type { Services } from '../services';
import { HubFacts } from './hub-facts';

/** Nobody reads more proposals. */
const MOST_REPOSITORIES = 30;

/** A page of so many repositories is far below, in bytes. */
const LARGEST_ANSWER_BYTES = 2 * 1024 * 1024;

/** Whoever types does not wait longer, in ms. */
const PATIENCE_MS = 5000;

/** Whoever types on is not asked for every letter, in ms. */
const QUIET_MS = 200;

/** How long an answer counts, and how long the hub is left alone after it gave none, in ms. */
const REMEMBERED_MS = 300_000;
const LEFT_ALONE_MS = 30_000;

/** Answers that are remembered; the oldest goes first. */
const MOST_REMEMBERED = 100;

const repositories = z.array(z.looseObject({ id: z.string() }));

interface Remembered {
  readonly until: number;
  readonly names: readonly string[];
}

/** Names on the hub, for somebody who types: nothing when the hub cannot be asked, and never a reason why. */
export class HubNames {
  private readonly remembered = new Map<string, Remembered>();
  /** Whoever is offline would ask in vain with every letter, in ms since the epoch. */
  private leftAloneUntil = 0;

  constructor(private readonly services: Services) {}

  /** Repositories whose names hold a text, as `owner/repo`. */
  repositories(text: string, signal: AbortSignal): Promise<readonly string[]> {
    return this.ask(`?${text}`, signal, async (patience) => {
      const { services } = this;
      const query = new URLSearchParams({ search: text, limit: String(MOST_REPOSITORIES) });
      const address = `${hubAddress(services.environment['HF_ENDPOINT'])}/api/models?${query.toString()}`;
      const access = await hubAccess(services, undefined);
      const answer = await readDocument(address, { ...access, signal: patience, mostBytes: LARGEST_ANSWER_BYTES });
      const names = repositories.parse(JSON.parse(answer.text)).map(({ id }) => id);
      return names.filter((name) => name.split('/').length === 2 && name.split('/').every(isHubName));
    });
  }

  /** Paths of the files with weights in a revision. @param alias of the credential that the manifest names */
  files(revision: HubRevision, alias: string | undefined, signal: AbortSignal): Promise<readonly string[]> {
    const { owner, repo } = revision;
    return this.ask([owner, repo, revision.revision, alias ?? ''].join('/'), signal, async (patience) => {
      const { files } = await new HubFacts(this.services, { alias, signal: patience }).listing(revision);
      const weights = weightsAmong([...files].map(([path, { bytes }]) => ({ path, bytes })));
      return weights.slice(0, MOST_FILES).map(({ path }) => path);
    });
  }

  private async ask(
    key: string,
    signal: AbortSignal,
    work: (patience: AbortSignal) => Promise<readonly string[]>
  ): Promise<readonly string[]> {
    const { isTrusted, clock, log } = this.services;
    const known = this.remembered.get(key);
    if (known && known.until > clock.now()) return known.names;
    if (!isTrusted() || this.leftAloneUntil > clock.now()) return [];
    try {
      await clock.sleep(QUIET_MS, signal);
      const names = await work(AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]));
      this.remember(key, names, REMEMBERED_MS);
      return names;
    } catch (error) {
      if (signal.aborted) return [];
      log.info('hub not asked for names', { reason: messageOf(error) });
      // A name that is not written to its end says nothing against asking for another one.
      if (isAnswer(error)) this.remember(key, [], LEFT_ALONE_MS);
      else this.leftAloneUntil = clock.now() + LEFT_ALONE_MS;
      return [];
    }
  }

  private remember(key: string, names: readonly string[], milliseconds: number): void {
    this.remembered.delete(key);
    this.remembered.set(key, { until: this.services.clock.now() + milliseconds, names });
    const [oldest] = this.remembered.keys();
    if (this.remembered.size > MOST_REMEMBERED && oldest !== undefined) this.remembered.delete(oldest);
  }
}

/** Statuses of what is not there, or not for everybody; the hub tells the one from the other only to who may know. */
const NOT_FOR_US: ReadonlySet<number> = new Set([401, 403, 404]);

/** Whether the hub answered what it was asked, although there is nothing to propose. */
function isAnswer(error: unknown): boolean {
  return error instanceof Failure && (error.code === 'bad-response' || NOT_FOR_US.has(error.status ?? 0));
}

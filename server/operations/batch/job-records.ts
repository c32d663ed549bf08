import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { makeDirectoryDurably, writeFileDurably } from '../../platform/durable-files';
import { entriesOf } from '../../platform/folder-entries';
import { fileFailure, isErrorWithCode } from '../../platform/system-error';

const jobRecord = z.object({
  version: z.literal(1),
  job: z.string(),
  file: z.string(),
  store: z.string(),
  started_at_unix_ms: z.int().min(0),
  state: z.enum(['running', 'stopped', 'done']),
  items: z.int().min(0),
  done: z.int().min(0),
  failed: z.int().min(0),
  /** Ids of the images in the order of the items, once the batch is done. */
  images: z.array(z.string()).optional(),
  /** The process that runs it, or ran it last, with a nonce. */
  owner: z.string()
});

/** What this machine remembers of a batch, for lists. Nothing is decided by it. */
export type JobRecord = z.infer<typeof jobRecord>;

/** What tells one batch from the others. */
type JobName = Pick<JobRecord, 'job' | 'store'>;

/** So many batches are remembered, those that were begun last. */
const KEPT = 100;

/** The batches that were begun or continued on this machine: a file each. */
export class JobRecords {
  /** @param folder made when the first batch is begun */
  constructor(private readonly folder: string) {}

  /** @throws Failure 'disk-full', 'file-access' */
  async write(record: JobRecord): Promise<void> {
    const path = this.#path(record);
    try {
      await makeDirectoryDurably(this.folder);
      await writeFileDurably(path, `${JSON.stringify(record)}\n`);
    } catch (error) {
      throw fileFailure(error, 'The batch cannot be noted.', path);
    }
  }

  /** Those that were begun last come first; what cannot be read is left out. @throws Failure('file-access') */
  async read(): Promise<readonly JobRecord[]> {
    try {
      const names = (await entriesOf(this.folder)).filter((name) => /^[0-9a-f]{32}\.json$/.test(name));
      const records = await Promise.all(names.map((name) => this.#load(join(this.folder, name))));
      return records
        .flatMap((record) => record ?? [])
        .toSorted((one, other) => other.started_at_unix_ms - one.started_at_unix_ms);
    } catch (error) {
      throw fileFailure(error, 'The batches cannot be listed.', this.folder);
    }
  }

  /** @throws Failure('file-access') */
  async find(batch: JobName): Promise<JobRecord | undefined> {
    const path = this.#path(batch);
    try {
      return await this.#load(path);
    } catch (error) {
      throw fileFailure(error, 'The batch cannot be looked up.', path);
    }
  }

  /** Nothing happens when it is not there. @throws Failure('file-access') */
  async forget(batch: JobName): Promise<void> {
    const path = this.#path(batch);
    try {
      await rm(path, { force: true });
    } catch (error) {
      throw fileFailure(error, 'The batch cannot be taken off the list.', path);
    }
  }

  /** Forgets the oldest batches that are over. */
  async tidy(): Promise<void> {
    const old = (await this.read()).slice(KEPT).filter(({ state }) => state === 'done');
    await Promise.all(old.map((record) => this.forget(record)));
  }

  async #load(path: string): Promise<JobRecord | undefined> {
    try {
      return jobRecord.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
    } catch (error) {
      if (error instanceof SyntaxError || isErrorWithCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  #path({ job, store }: JobName): string {
    const name = createHash('sha256')
      .update(JSON.stringify([store, job]))
      .digest('hex')
      .slice(0, 32);
    return join(this.folder, `${name}.json`);
  }
}

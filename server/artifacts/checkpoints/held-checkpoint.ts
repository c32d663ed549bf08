import type { Digest } from '../../../shared/digest';
import { Failure } from '../../../shared/failure';
import { digestOf } from '../../gallery/incoming-image';
import { nonce } from '../../platform/process-identity';
import type { ObjectStore } from '../object-store';
import type { StoreKey } from '../store-key';
import { type CheckpointManifest, type CheckpointPart, formatState } from './checkpoint-format';
import { CheckpointKeys } from './checkpoint-keys';
import { type CheckpointContent, type FoundCheckpoint, findCheckpoint } from './find-checkpoint';
import type { Progress } from './progress';
import { tornCheckpoint } from './torn-checkpoint';

/** How often a swap is tried that was lost to an earlier one of ours, of which nobody could tell whether it happened. */
const MOST_SWAPS = 4;

/** What a job begins with. */
export interface Beginning {
  /** Its name. */
  readonly job: string;
  /** What the job is; never changed. */
  readonly plan: string;
  readonly progress: Progress;
  /** The checkpoint that is given up for it; undefined: there has to be none. */
  readonly replaced: Pick<FoundCheckpoint, 'version'> | undefined;
}

/** An image as a checkpoint keeps it. */
export interface CheckpointImage {
  readonly bytes: Uint8Array;
  /** The text of its description. */
  readonly sidecar: string;
}

/**
 * A job's checkpoint in the hands of one runner, until another one takes it over. All that a new state names is stored
 * before; the swap of the manifest is what makes it so; what the state before named goes afterwards.
 */
export class HeldCheckpoint {
  readonly #store: ObjectStore;
  readonly #keys: CheckpointKeys;
  #manifest: CheckpointManifest;
  #version: string;

  private constructor(store: ObjectStore, manifest: CheckpointManifest, version: string) {
    this.#store = store;
    this.#keys = new CheckpointKeys(manifest.job);
    this.#manifest = manifest;
    this.#version = version;
  }

  /**
   * Begins a job.
   * @throws Failure('checkpoint-exists') when somebody else began it
   */
  static async begin(
    store: ObjectStore,
    { job, plan, progress, replaced }: Beginning,
    signal: AbortSignal
  ): Promise<HeldCheckpoint> {
    const keys = new CheckpointKeys(job);
    const old = replaced ? await objectsBelow(store, keys, signal) : [];
    const run = nonce();
    const put = (name: string, text: string) => putPart(store, keys.part(run, name), name, text, signal);
    const written = await Promise.all([put('plan.json', plan), put(...stateOf(1, progress))]);
    const [planPart, state] = written;
    const runner = nonce();
    const manifest = { version: 1, job, run, runner, sequence: 1, phase: 'running', plan: planPart, state } as const;
    const version = await store.swapDocument(keys.manifest, bytesOf(manifest), replaced?.version ?? null, signal);
    if (version === undefined) {
      await quietly(Promise.all(written.map(({ name }) => store.delete(keys.part(run, name), signal))));
      throw new Failure('checkpoint-exists', `Another run of the batch ${job} has just begun.`, {
        subject: job,
        nextStep: 'Let it go on, or take it over by resuming the batch here.'
      });
    }
    // The job has begun; what stays in spite of this is removed when it is over.
    await quietly(deleteAll(store, old, signal));
    return new HeldCheckpoint(store, manifest, version);
  }

  /**
   * Takes a job over from whoever ran it before, dead or alive: a runner that lives finds out at its next checkpoint.
   * @param progress what is to be the case from now on
   * @returns undefined when the checkpoint is no longer the one that was read
   */
  static async takeOver(
    store: ObjectStore,
    { manifest, version }: Pick<CheckpointContent, 'manifest' | 'version'>,
    progress: Progress,
    signal: AbortSignal
  ): Promise<HeldCheckpoint | undefined> {
    const held = new HeldCheckpoint(store, { ...manifest, runner: nonce() }, version);
    return (await held.#tryAdvance(progress, 'running', signal)) ? held : undefined;
  }

  /** Removes what is left of a job that is over; does nothing when somebody else is at it. @throws Failure of the store */
  static async removeRest(
    store: ObjectStore,
    { manifest, version }: Pick<CheckpointContent, 'manifest' | 'version'>,
    signal: AbortSignal
  ): Promise<void> {
    try {
      await new HeldCheckpoint(store, { ...manifest, runner: nonce() }, version).remove(signal);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'overtaken') throw error;
    }
  }

  /** Stores an image with its description; to be done before a state names it. */
  async putImage(id: Digest, { bytes, sidecar }: CheckpointImage, signal: AbortSignal): Promise<void> {
    const { run } = this.#manifest;
    await this.#store.put(this.#keys.image(run, id), { kind: 'bytes', bytes }, { signal });
    const text = Buffer.from(sidecar);
    await this.#store.put(this.#keys.sidecar(run, id), { kind: 'bytes', bytes: text }, { signal });
  }

  /** Stores an image that images were made from, by its digest. */
  async putInput(digest: Digest, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#store.put(this.#keys.input(this.#manifest.run, digest), { kind: 'bytes', bytes }, { signal });
  }

  /** @throws Failure('bad-checkpoint') when the image is not what it was */
  async readImage(id: Digest, limit: number, signal: AbortSignal): Promise<CheckpointImage> {
    const { run } = this.#manifest;
    const key = this.#keys.sidecar(run, id);
    const sidecar = await this.#store.read(key, { limit, signal });
    if (!sidecar) throw tornCheckpoint(this.#store, key, 'is missing');
    const bytes = await this.#readProved(this.#keys.image(run, id), id, limit, signal);
    return { bytes, sidecar: Buffer.from(sidecar.bytes).toString() };
  }

  /** @throws Failure('bad-checkpoint') when it is not what it was */
  readInput(digest: Digest, limit: number, signal: AbortSignal): Promise<Uint8Array> {
    return this.#readProved(this.#keys.input(this.#manifest.run, digest), digest, limit, signal);
  }

  async #readProved(key: StoreKey, digest: Digest, limit: number, signal: AbortSignal): Promise<Uint8Array> {
    const found = await this.#store.read(key, { limit, signal });
    if (!found) throw tornCheckpoint(this.#store, key, 'is missing');
    if (digestOf(found.bytes) === digest) return found.bytes;
    throw tornCheckpoint(this.#store, key, 'does not have the content that it is named after');
  }

  /**
   * Writes how far the job is.
   * @throws Failure('overtaken') when another runner has taken the job over; nothing is changed then
   */
  async advance(progress: Progress, phase: 'running' | 'stopped', signal: AbortSignal): Promise<void> {
    if (await this.#tryAdvance(progress, phase, signal)) return;
    throw this.#overtaken();
  }

  /** Removes the checkpoint of a job that is over, and all that belongs to it. @throws Failure as {@link advance} */
  async remove(signal: AbortSignal): Promise<void> {
    const { manifest: key } = this.#keys;
    // What is there before the swap belongs to this run or to earlier ones; what comes later does not.
    const objects = await objectsBelow(this.#store, this.#keys, signal);
    const sequence = this.#manifest.sequence + 1;
    if (!(await this.#swap({ ...this.#manifest, sequence, phase: 'removing' }, signal))) throw this.#overtaken();
    // What tells of the images goes after them.
    const { run, plan, state } = this.#manifest;
    const last = [this.#keys.part(run, plan.name), this.#keys.part(run, state.name)];
    await deleteAll(this.#store, [...objects.filter((other) => !last.includes(other)), ...last], signal);
    const now = await findCheckpoint(this.#store, this.#manifest.job, signal);
    if (now?.version === this.#version) await this.#store.deleteDocument(key, signal);
  }

  async #tryAdvance(progress: Progress, phase: 'running' | 'stopped', signal: AbortSignal): Promise<boolean> {
    const { run, sequence: before, state: old } = this.#manifest;
    const sequence = before + 1;
    const [name, text] = stateOf(sequence, progress);
    const state = await putPart(this.#store, this.#keys.part(run, name), name, text, signal);
    const isOurs = await this.#swap({ ...this.#manifest, sequence, phase, state }, signal);
    // What stays in spite of this is removed when the job is over.
    await quietly(this.#store.delete(this.#keys.part(run, isOurs ? old.name : name), signal));
    return isOurs;
  }

  /** @returns whether the checkpoint is what was to be written, and still ours */
  async #swap(manifest: CheckpointManifest, signal: AbortSignal): Promise<boolean> {
    for (let tries = 0; tries < MOST_SWAPS; tries += 1) {
      const version = await this.#store.swapDocument(this.#keys.manifest, bytesOf(manifest), this.#version, signal);
      if (version !== undefined) {
        this.#manifest = manifest;
        this.#version = version;
        return true;
      }
      const now = await findCheckpoint(this.#store, manifest.job, signal);
      if (now?.kind !== 'readable' || now.manifest.runner !== manifest.runner) return false;
      // An earlier swap failed on its way back.
      this.#version = now.version;
    }
    return false;
  }

  #overtaken(): Failure {
    const { job } = this.#manifest;
    return new Failure('overtaken', `Another runner has taken the batch ${job} over, so this one stopped.`, {
      subject: job,
      nextStep: 'It goes on there. Resume the batch here to take it back.'
    });
  }
}

/** Its name and text. */
function stateOf(sequence: number, progress: Progress): readonly [name: string, text: string] {
  const text = formatState(sequence, progress);
  return [`state-${sequence}-${digestOf(Buffer.from(text))}.json`, text];
}

async function putPart(
  store: ObjectStore,
  key: StoreKey,
  name: string,
  text: string,
  signal: AbortSignal
): Promise<CheckpointPart> {
  const bytes = Buffer.from(text);
  await store.put(key, { kind: 'bytes', bytes }, { signal });
  return { name, sha256: digestOf(bytes), bytes: bytes.length };
}

function bytesOf(manifest: CheckpointManifest): Uint8Array {
  return Buffer.from(`${JSON.stringify(manifest)}\n`);
}

/** Everything of a job's checkpoints but the document. */
async function objectsBelow(store: ObjectStore, keys: CheckpointKeys, signal: AbortSignal): Promise<StoreKey[]> {
  const found: StoreKey[] = [];
  for await (const { key } of store.list(keys.folder, signal)) if (key !== keys.manifest) found.push(key);
  return found;
}

async function deleteAll(store: ObjectStore, keys: readonly StoreKey[], signal: AbortSignal): Promise<void> {
  for (const key of keys) await store.delete(key, signal);
}

/** For what is only tidier when it works. */
async function quietly(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
  });
}

import { join } from 'node:path';
import { Failure } from '../../shared/failure';
import { isLink, makeDirectoryDurably } from '../platform/durable-files';
import { createFileDurably, readCreatedFile, removeCreatedFile } from '../platform/exclusive-files';
import { entriesOf } from '../platform/folder-entries';
import { nonce } from '../platform/process-identity';
import { fileFailure, isErrorWithCode } from '../platform/system-error';
import { type Models, type RegistryState, registryState } from './registry-state';

/** Older generations that are kept, so that a slow writer notices that it was overtaken. */
const KEPT_GENERATIONS = 16;

const EMPTY: RegistryState = { schema: 1, id: 'empty', parent: '', models: [] };

interface Generation {
  readonly number: number;
  readonly state: RegistryState;
}

/**
 * Which models exist and where they came from, as numbered generations in one folder. A new generation is published
 * by linking it to the next number; whoever finds that number taken reads again and applies its edit again, so that
 * concurrent edits of several processes lose nothing.
 */
export class Registry {
  private newest: Generation | undefined;

  /** @param folder absolute path */
  constructor(private readonly folder: string) {}

  /** @throws Failure */
  async read(): Promise<Models> {
    try {
      return (await this.latest()).state.models;
    } catch (error) {
      throw fileFailure(error, 'The registry cannot be read.', this.folder);
    }
  }

  /**
   * Applies an edit to the latest generation and publishes the result durably.
   * @param edit pure: it may be applied several times; giving back what it got changes nothing
   * @throws Failure, and what `edit` throws
   */
  async change(edit: (models: Models) => Models): Promise<Models> {
    try {
      await makeDirectoryDurably(this.folder);
      for (;;) {
        const base = await this.latest();
        const models = edit(base.state.models);
        if (models === base.state.models) return models;
        const state: RegistryState = {
          schema: 1,
          id: nonce(),
          parent: base.state.id,
          models: models.toSorted((a, b) => (a.manifest.name < b.manifest.name ? -1 : 1))
        };
        if (await this.publish(base.number + 1, state)) return state.models;
      }
    } catch (error) {
      throw fileFailure(error, 'The registry cannot be written.', this.folder);
    }
  }

  private async publish(number: number, state: RegistryState): Promise<boolean> {
    const isOurs = await createFileDurably(this.path(number), `${JSON.stringify(state, null, 2)}\n`);
    if (!isOurs) return false;
    if (await this.wasOvertaken(number, state)) {
      await removeCreatedFile(this.path(number));
      return false;
    }
    await this.collect(number);
    return true;
  }

  /**
   * Whether our number had been used and collected already when we took it: then later generations know nothing of
   * ours. A generation that follows ours names it as its parent.
   */
  private async wasOvertaken(number: number, state: RegistryState): Promise<boolean> {
    const numbers = await this.numbers();
    if (!numbers.some((other) => other > number)) return false;
    const next = await this.load(number + 1);
    return next?.parent !== state.id;
  }

  /** Removes old generations; one that a reader holds open on Windows goes with a later change. */
  private async collect(newest: number): Promise<void> {
    for (const number of await this.numbers()) {
      if (number > newest - KEPT_GENERATIONS) continue;
      await removeCreatedFile(this.path(number)).catch((error: unknown) => {
        if (!isErrorWithCode(error, 'EBUSY', 'EPERM', 'EACCES')) throw error;
      });
    }
  }

  private async latest(): Promise<Generation> {
    for (;;) {
      const number = Math.max(0, ...(await this.numbers()));
      if (number === 0) return { number, state: EMPTY };
      // A generation never changes once it is there.
      if (this.newest?.number === number) return this.newest;
      const state = await this.load(number);
      if (state) {
        this.newest = { number, state };
        return this.newest;
      }
    }
  }

  /** @returns undefined when the generation was collected meanwhile */
  private async load(number: number): Promise<RegistryState | undefined> {
    const path = this.path(number);
    try {
      const parsed = registryState.safeParse(JSON.parse(await readCreatedFile(path)));
      if (parsed.success) return parsed.data;
    } catch (error) {
      const isMissing = isErrorWithCode(error, 'ENOENT');
      if (isMissing && !(await isLink(path))) return undefined;
      if (!isMissing && !(error instanceof SyntaxError)) throw error;
    }
    throw new Failure('file-access', 'The registry cannot be read: it is damaged or written by a newer version.', {
      subject: path,
      nextStep: 'Update Diffusion Dock; if the file is damaged, delete it to return to the generation before.'
    });
  }

  private async numbers(): Promise<number[]> {
    const names = await entriesOf(this.folder);
    return names.flatMap((name) => (/^[1-9]\d{0,14}\.json$/.test(name) ? [Number.parseInt(name, 10)] : []));
  }

  private path(number: number): string {
    return join(this.folder, `${number}.json`);
  }
}

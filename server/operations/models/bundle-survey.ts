import { readdir } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { type ModelName, modelKey } from '../../../shared/model-name';
import { sideBySide } from '../../platform/side-by-side';
import { isErrorWithCode } from '../../platform/system-error';
import { assessBundleFolder, type BundleState } from '../../store/bundle-state';
import type { CacheLayout } from '../../store/cache-layout';
import type { Proofs } from '../../store/proofs';

/** How many bundles are looked at together; more only wait for the same disk. */
const BUNDLES_AT_ONCE = 8;

/** What quick looks at the bundles of a cache showed, remembered for as long as the process lives. */
export class BundleSurvey {
  private readonly states = new Map<string, BundleState>();
  private round: Promise<boolean> | undefined;
  private isOver = false;

  constructor(
    private readonly layout: CacheLayout,
    private readonly proofs: Proofs
  ) {}

  /** What the last look showed, however long ago; undefined when there was none. */
  lastLook(name: ModelName): BundleState | undefined {
    return this.states.get(modelKey(name));
  }

  /** Looks at one bundle now. */
  async look(name: ModelName): Promise<BundleState> {
    await this.proofs.refresh();
    return this.lookOnly(name);
  }

  /** Looks at many bundles now. @returns whether one of them is not as it was at the last look */
  async lookAt(names: readonly ModelName[]): Promise<boolean> {
    await this.proofs.refresh();
    let changed = false;
    await sideBySide(names, BUNDLES_AT_ONCE, async (name) => {
      if (this.isOver) return;
      const before = this.lastLook(name);
      if (before !== (await this.lookOnly(name))) changed = true;
    });
    return changed;
  }

  /** As {@link lookAt}, unless a round is under way already: whoever began that one is told. */
  async lookInBackground(names: readonly ModelName[]): Promise<boolean> {
    if (this.round) return false;
    this.round = this.lookAt(names).finally(() => {
      this.round = undefined;
    });
    return this.round;
  }

  /** Keys of the models that have something in their bundle's place, from one pass over the folder of all. */
  async present(): Promise<ReadonlySet<string>> {
    try {
      return new Set(await readdir(this.layout.models));
    } catch (error) {
      if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return new Set();
      throw error;
    }
  }

  /** Ends a round that is under way. */
  dispose(): void {
    this.isOver = true;
  }

  /** What is as it was stays the very same, so that nothing that rests on it needs to be made anew. */
  private async lookOnly(name: ModelName): Promise<BundleState> {
    const state = await assessBundleFolder(this.layout.model(name), this.proofs);
    const before = this.lastLook(name);
    if (before && isDeepStrictEqual(before, state)) return before;
    this.states.set(modelKey(name), state);
    return state;
  }
}

import type { MachineMemory } from '../../platform/machine-memory';
import type { Ticker } from '../../platform/throttle';

export interface MemoryReserveOptions {
  readonly settings: { readonly memoryReserve: number };
  readonly ticker: Ticker;
  readonly memory: () => Promise<MachineMemory>;
}

/** Unloads one more model, the one that is missed least; undefined: none is idle. */
type Unload = () => (() => Promise<void>) | undefined;

/** How often memory is looked at while models are loaded, in ms. */
const INTERVAL_MS = 5000;

/** Unloads idle models as long as less memory is available than is to be kept in reserve. */
export class MemoryReserve {
  #cancelTimer: (() => void) | undefined;
  #isOn = false;

  constructor(
    private readonly options: MemoryReserveOptions,
    private readonly leastUsed: Unload
  ) {}

  /** Looks again and again until it is stopped. */
  start(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#arm();
  }

  stop(): void {
    this.#isOn = false;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /**
   * Unloads idle models until so much more fits.
   * @param bytes of what is about to be loaded
   */
  async makeRoom(bytes: number): Promise<void> {
    while (await this.#isShort(bytes)) {
      const unload = this.leastUsed();
      if (!unload) return;
      await unload();
    }
  }

  #arm(): void {
    this.#cancelTimer = this.options.ticker.after(INTERVAL_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    await this.makeRoom(0);
    if (this.#isOn) this.#arm();
  }

  async #isShort(bytes: number): Promise<boolean> {
    const { total, available } = await this.options.memory();
    return available !== undefined && available - bytes < total * this.options.settings.memoryReserve;
  }
}

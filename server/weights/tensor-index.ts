import type { Tensor } from './headers/tensor';

/** The tensors of one part of a model, looked up by names from which the part's own prefix was taken. */
export class TensorIndex {
  private readonly byName: ReadonlyMap<string, Tensor>;

  constructor(named: Iterable<readonly [name: string, tensor: Tensor]>) {
    this.byName = new Map(named);
  }

  get tensors(): Iterable<Tensor> {
    return this.byName.values();
  }

  get size(): number {
    return this.byName.size;
  }

  has(...names: readonly string[]): boolean {
    return names.every((name) => this.byName.has(name));
  }

  /** Whether any name begins so. */
  hasUnder(prefix: string): boolean {
    return this.some((name) => name.startsWith(prefix));
  }

  some(fits: (name: string) => boolean): boolean {
    for (const name of this.byName.keys()) if (fits(name)) return true;
    return false;
  }

  /** How many names fit. */
  count(fits: (name: string) => boolean): number {
    let count = 0;
    for (const name of this.byName.keys()) if (fits(name)) count += 1;
    return count;
  }

  get(name: string): Tensor | undefined {
    return this.byName.get(name);
  }

  /** The extent of a tensor in one dimension, counted from the outermost; undefined when there is none. */
  extent(name: string, dimension: number): number | undefined {
    return this.byName.get(name)?.shape[dimension];
  }

  /** As {@link extent}, of the first tensor whose name ends so. */
  extentOfFirst(ending: string, dimension: number): number | undefined {
    for (const [name, { shape }] of this.byName) if (name.endsWith(ending)) return shape[dimension];
    return undefined;
  }
}

/** Slots at first; there are always twice as many as names. */
const FIRST_SLOTS = 1024;

/** Slots that are tried for a name, on the average, before a set has to do: somebody chose the names for that. */
const MOST_TRIES = 8;

/**
 * Tells names that were there before. A set of strings does the same; for the tens of thousands of names of a large
 * model, the most of its time goes to moving its growing tables.
 */
export class TensorNames {
  private readonly names: string[] = [];
  private readonly hashes: number[] = [];
  /** For each slot the number of a name from 1, or 0. */
  private slots = new Int32Array(FIRST_SLOTS);
  private tries = 0;
  private fallback: Set<string> | undefined;

  /** @returns false when the name is there already */
  add(name: string): boolean {
    if (this.fallback) {
      const { size } = this.fallback;
      return this.fallback.add(name).size > size;
    }
    const { names, hashes } = this;
    const hash = hashOf(name);
    const slot = this.slotOf(hash, name);
    if (this.slots[slot] !== 0) return false;
    hashes.push(hash);
    this.slots[slot] = names.push(name);
    if (names.length * 2 > this.slots.length) this.grow();
    if (this.tries > (names.length + FIRST_SLOTS) * MOST_TRIES) this.fallback = new Set(names);
    return true;
  }

  /** The slot that has the name, or the free one where it belongs. */
  private slotOf(hash: number, name: string): number {
    const { slots, names, hashes } = this;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let number = slots[slot] ?? 0; number !== 0; number = slots[slot] ?? 0) {
      if (hashes[number - 1] === hash && names[number - 1] === name) break;
      slot = (slot + 1) & mask;
      this.tries += 1;
    }
    return slot;
  }

  /** Every name is there once, so nothing is compared. */
  private grow(): void {
    const slots = new Int32Array(this.slots.length * 4);
    const mask = slots.length - 1;
    for (const [index, hash] of this.hashes.entries()) {
      let slot = hash & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.slots = slots;
  }
}

/** FNV-1a, stirred once more, for its low bits are those that are used. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  return hash ^ (hash >>> 15);
}

import { MOST_NAME_BYTES, MOST_PAIRS } from './limits';

/** Names of metadata, each once, as many as a header may have. */
export class NameSet {
  private readonly names = new Set<string>();
  private length = 0;

  /** @returns false when the name is there already, or beyond the limits */
  add(name: string): boolean {
    this.length += name.length;
    if (this.names.has(name) || this.names.size === MOST_PAIRS || this.length > MOST_NAME_BYTES) return false;
    this.names.add(name);
    return true;
  }
}

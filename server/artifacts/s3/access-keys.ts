/** What requests are signed with. Never logged, shown, or written. */
export interface AccessKey {
  readonly id: string;
  readonly secret: string;
  readonly sessionToken?: string | undefined;
  /** When it ends, in ms since the epoch, where that is known. */
  readonly endsAtUnixMs?: number | undefined;
}

/** A key is replaced so long before it ends, in ms. */
const AHEAD_MS = 5 * 60_000;

/** Where a store's access key comes from. It is read once, and anew when it ends or is refused. */
export class AccessKeys {
  private held: AccessKey | undefined;

  /**
   * @param origin names where keys come from, for texts: `the credential “team”`
   * @param read reads or fetches the key @throws Failure when there is none
   * @param now milliseconds since the epoch
   */
  constructor(
    readonly origin: string,
    private readonly read: (signal: AbortSignal) => Promise<AccessKey>,
    private readonly now: () => number
  ) {}

  /** The key to sign with now. @throws Failure */
  async current(signal: AbortSignal): Promise<AccessKey> {
    const { held } = this;
    const endsAt = held?.endsAtUnixMs ?? Number.POSITIVE_INFINITY;
    if (held && endsAt - AHEAD_MS > this.now()) return held;
    this.held = await this.read(signal);
    return this.held;
  }

  /** Another key than one that was refused; undefined when there is none. @throws Failure */
  async another(refused: AccessKey, signal: AbortSignal): Promise<AccessKey | undefined> {
    if (this.held === refused) this.held = await this.read(signal);
    return this.held && isSame(this.held, refused) ? undefined : this.held;
  }
}

/**
 * Reads `KEYID:SECRET[:SESSIONTOKEN]`, the form in which a key is stored under an alias.
 * @returns undefined for anything else
 */
export function parseAccessKey(text: string): AccessKey | undefined {
  const [, id, secret, sessionToken] = /^([^\s:]+):([^\s:]+)(?::(\S+))?$/.exec(text.trim()) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret, sessionToken };
}

function isSame(one: AccessKey, other: AccessKey): boolean {
  return one.id === other.id && one.secret === other.secret && one.sessionToken === other.sessionToken;
}

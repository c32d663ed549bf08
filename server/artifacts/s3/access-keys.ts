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
  private reading: Reading | undefined;

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
    return held && endsAt - AHEAD_MS > this.now() ? held : this.readAnew(signal);
  }

  /** Another key than one that was refused; undefined when there is none. @throws Failure */
  async another(refused: AccessKey, signal: AbortSignal): Promise<AccessKey | undefined> {
    const held = this.held === refused ? await this.readAnew(signal) : this.held;
    return held && isSame(held, refused) ? undefined : held;
  }

  /** Requests that need a key at the same time read it once. */
  private async readAnew(signal: AbortSignal): Promise<AccessKey> {
    for (;;) {
      const { reading } = this;
      if (!reading) return this.startReading(signal);
      try {
        return await reading.key;
      } catch (error) {
        // It was given up by whoever began it, which is no reason for others.
        if (signal.aborted || !reading.signal.aborted) throw error;
      }
    }
  }

  private async startReading(signal: AbortSignal): Promise<AccessKey> {
    const reading = { key: this.read(signal), signal };
    this.reading = reading;
    try {
      this.held = await reading.key;
      return this.held;
    } finally {
      this.reading = undefined;
    }
  }
}

/** A key that is being read, and what gives the reading up. */
interface Reading {
  readonly key: Promise<AccessKey>;
  readonly signal: AbortSignal;
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

/** A secret and where it may go. It is never logged, shown, or written. */
export interface Credential {
  readonly alias: string;
  readonly secret: string;
  /** Origins (`https://host[:port]`) that it may be sent to, and no others. */
  readonly origins: readonly string[];
}

/** Knows secrets by the alias that manifests and users refer to them with. */
export interface CredentialStore {
  /** @returns undefined when nobody stored one under that alias */
  find(alias: string): Promise<Credential | undefined>;
  /** The aliases that {@link find} has something for, as far as that can be told without asking for a secret. */
  aliases(): Promise<readonly string[]>;
}

/** Asks one store after the other. */
export function firstOf(...stores: readonly CredentialStore[]): CredentialStore {
  return {
    async find(alias) {
      for (const store of stores) {
        const found = await store.find(alias);
        if (found) return found;
      }
      return undefined;
    },
    async aliases() {
      const all = await Promise.all(stores.map((store) => store.aliases()));
      return [...new Set(all.flat())].toSorted();
    }
  };
}

/** `DIFFUSION_DOCK_TOKEN_<ALIAS>` and `DIFFUSION_DOCK_TOKEN_<ALIAS>_ORIGINS` (separated by commas or white space). */
export function environmentCredentials(environment: Readonly<Record<string, string | undefined>>): CredentialStore {
  return {
    async find(alias) {
      const variable = credentialVariable(alias);
      const secret = environment[variable]?.trim();
      if (!secret) return undefined;
      const origins = (environment[`${variable}_ORIGINS`] ?? '').split(/[\s,]+/).flatMap(originOf);
      return { alias, secret, origins };
    },
    async aliases() {
      const variables = Object.keys(environment).filter((name) => environment[name]?.trim());
      return variables.flatMap((name) => aliasOfVariable(name) ?? []);
    }
  };
}

/** The variable that holds the secret of an alias: `my-hub` is `DIFFUSION_DOCK_TOKEN_MY_HUB`. */
export function credentialVariable(alias: string): string {
  return `DIFFUSION_DOCK_TOKEN_${alias.toUpperCase().replaceAll('-', '_')}`;
}

function aliasOfVariable(name: string): string | undefined {
  const [, alias] = /^DIFFUSION_DOCK_TOKEN_([A-Z0-9_]+)$/.exec(name) ?? [];
  return alias === undefined || alias.endsWith('_ORIGINS') ? undefined : alias.toLowerCase().replaceAll('_', '-');
}

/** The origin of a text that names one; none for anything else. */
export function originOf(text: string): string[] {
  return URL.canParse(text) ? [new URL(text).origin] : [];
}

/**
 * What a request to an address carries of a credential: only to its own origins, and only over https or to this
 * machine. Asked for every address anew, so that a redirect elsewhere carries nothing.
 */
export function authorization(credential: Credential | undefined, url: URL, isLoopback: boolean): string | undefined {
  if (!credential?.origins.includes(url.origin)) return undefined;
  return url.protocol === 'https:' || isLoopback ? `Bearer ${credential.secret}` : undefined;
}

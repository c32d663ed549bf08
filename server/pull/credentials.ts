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
    }
  };
}

/** The variable that holds the secret of an alias: `my-hub` is `DIFFUSION_DOCK_TOKEN_MY_HUB`. */
export function credentialVariable(alias: string): string {
  return `DIFFUSION_DOCK_TOKEN_${alias.toUpperCase().replaceAll('-', '_')}`;
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

import type { SecretStorage } from 'vscode';
import * as z from 'zod';
import type { StoredCredential } from '../../shared/protocol';

/** What is kept for an alias, as JSON in the editor's secret storage. */
const storedCredential = z.object({ secret: z.string().min(1), origins: z.array(z.string()) });

/** The credentials of this user by alias, kept by the editor and nowhere else. */
export class CredentialVault {
  constructor(private readonly secrets: SecretStorage) {}

  /** @returns null when there is none, or what is there cannot be read */
  async find(alias: string): Promise<StoredCredential | null> {
    const text = await this.secrets.get(keyOf(alias));
    return text === undefined ? null : parse(text);
  }

  /** The aliases that something is stored under. Secret storages cannot be listed, so we keep a list beside. */
  async aliases(): Promise<readonly string[]> {
    return parseAliases(await this.secrets.get(ALIASES));
  }

  async store(alias: string, credential: StoredCredential): Promise<void> {
    await this.secrets.store(keyOf(alias), JSON.stringify(credential));
    const others = (await this.aliases()).filter((other) => other !== alias);
    await this.secrets.store(ALIASES, JSON.stringify([...others, alias].toSorted()));
  }

  async remove(alias: string): Promise<void> {
    await this.secrets.delete(keyOf(alias));
    const others = (await this.aliases()).filter((other) => other !== alias);
    await this.secrets.store(ALIASES, JSON.stringify(others));
  }
}

/** Where the list of aliases is kept; no alias has a space. */
const ALIASES = 'credential aliases';

function parseAliases(text: string | undefined): readonly string[] {
  try {
    return text === undefined ? [] : z.array(z.string()).parse(JSON.parse(text));
  } catch {
    return [];
  }
}

function keyOf(alias: string): string {
  return `credential:${alias}`;
}

function parse(text: string): StoredCredential | null {
  try {
    return storedCredential.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

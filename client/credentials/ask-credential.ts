import { window } from 'vscode';
import { CREDENTIAL_ALIAS } from '../../shared/credential-alias';
import { sayDone } from '../support/messages';
import type { CredentialVault } from './credential-vault';

/**
 * Asks for an alias, the origins that the secret may go to, and the secret; keeps them.
 * @returns the alias; undefined when the user thought better of it
 */
export async function storeCredential(vault: CredentialVault): Promise<string | undefined> {
  const alias = await askAlias('Store Credential');
  if (alias === undefined) return undefined;
  const origins = await window.showInputBox({
    title: `Store Credential ${alias}`,
    prompt: 'Where may the secret go? One or more origins, separated by commas. It is sent nowhere else.',
    placeHolder: 'https://models.example.com',
    ignoreFocusOut: true,
    validateInput: (text) => (originsIn(text) ? undefined : 'Write addresses like https://models.example.com.')
  });
  const allowed = origins === undefined ? undefined : originsIn(origins);
  if (!allowed) return undefined;
  const secret = await window.showInputBox({
    title: `Store Credential ${alias}`,
    prompt: 'The secret itself. It is kept by the editor and never written into a file.',
    password: true,
    ignoreFocusOut: true
  });
  if (!secret?.trim()) return undefined;
  await vault.store(alias, { secret: secret.trim(), origins: allowed });
  sayDone(`The credential ${alias} is stored. Manifests refer to it with "credential_alias".`);
  return alias;
}

/** Asks for an alias and forgets what is stored under it. */
export async function removeCredential(vault: CredentialVault): Promise<void> {
  const alias = await askAlias('Remove Credential');
  if (alias === undefined) return;
  await vault.remove(alias);
  sayDone(`No credential is stored as ${alias} any more.`);
}

async function askAlias(title: string): Promise<string | undefined> {
  const alias = await window.showInputBox({
    title,
    prompt: 'The alias that manifests use in "credential_alias"; "huggingface" is the hub\'s own token.',
    placeHolder: 'my-hub',
    ignoreFocusOut: true,
    validateInput: (text) =>
      CREDENTIAL_ALIAS.test(text.trim()) ? undefined : 'Use lower-case letters, digits and hyphens.'
  });
  return alias?.trim();
}

/** @returns undefined unless every entry is an origin that a secret may be sent to */
function originsIn(text: string): string[] | undefined {
  const entries = text.split(/[\s,]+/).filter(Boolean);
  const addresses = entries.flatMap((entry) => (URL.canParse(entry) ? [new URL(entry)] : []));
  if (entries.length === 0 || addresses.length < entries.length || !addresses.every(isProtected)) return undefined;
  return addresses.map(({ origin }) => origin);
}

/** Over https, or to this machine. */
function isProtected({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname));
}

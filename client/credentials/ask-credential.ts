import { type QuickPickItem, window } from 'vscode';
import { CREDENTIAL_ALIAS } from '../../shared/credential-alias';
import { sayDone } from '../support/messages';
import { askAccessKey } from './ask-access-key';
import type { CredentialVault } from './credential-vault';

/** A secret that is sent as it is, or a key that signs what is sent to an object store. */
type CredentialKind = 'token' | 'access-key';

/**
 * Asks for an alias, what kind of secret it is, the origins that it may go to, and the secret; keeps them.
 * @returns the alias; undefined when the user thought better of it
 */
export async function storeCredential(vault: CredentialVault): Promise<string | undefined> {
  const alias = await askAlias();
  if (alias === undefined) return undefined;
  const title = `Store Credential ${alias}`;
  const kind = alias === 'huggingface' ? 'token' : await askKind(title);
  if (kind === undefined) return undefined;
  const origins = await askOrigins(title, kind);
  if (!origins) return undefined;
  const secret = kind === 'token' ? await askToken(title) : await askAccessKey(title);
  if (!secret) return undefined;
  await vault.store(alias, { secret, origins });
  const user =
    kind === 'token' ? 'Manifests refer to it with "credential_alias"' : 'Team stores name it as "credential"';
  sayDone(`The credential ${alias} is stored. ${user}.`);
  return alias;
}

/** Asks which of the stored credentials to forget. */
export async function removeCredential(vault: CredentialVault): Promise<void> {
  const aliases = await vault.aliases();
  if (aliases.length === 0) {
    sayDone('No credential is stored.');
    return;
  }
  const alias = await window.showQuickPick(aliases, { title: 'Remove which credential?' });
  if (alias === undefined) return;
  await vault.remove(alias);
  sayDone(`The credential ${alias} is removed.`);
}

async function askAlias(): Promise<string | undefined> {
  const alias = await window.showInputBox({
    title: 'Store Credential',
    prompt: 'The alias that manifests and team stores use; "huggingface" is the hub\'s own token.',
    placeHolder: 'my-hub',
    ignoreFocusOut: true,
    validateInput: (text) =>
      CREDENTIAL_ALIAS.test(text.trim()) ? undefined : 'Use lower-case letters, digits and hyphens.'
  });
  return alias?.trim();
}

async function askKind(title: string): Promise<CredentialKind | undefined> {
  const options = { title, placeHolder: 'What kind of secret is it?', ignoreFocusOut: true };
  return (await window.showQuickPick(kinds(), options))?.secret;
}

function kinds(): (QuickPickItem & { readonly secret: CredentialKind })[] {
  return [
    { secret: 'token', label: 'Token', detail: 'For servers that manifests name: it is sent along with requests' },
    {
      secret: 'access-key',
      label: 'S3 Access Key',
      detail: 'For team stores on S3, R2 and what is compatible: key id, secret, session token'
    }
  ];
}

const PLACES = {
  token: {
    prompt: 'Where may the secret go? One or more origins, separated by commas. It is sent nowhere else.',
    placeHolder: 'https://models.example.com'
  },
  'access-key': {
    prompt: 'The endpoint of the store, or several, separated by commas. The key is used nowhere else.',
    placeHolder: 'https://s3.eu-central-1.amazonaws.com'
  }
} as const;

async function askOrigins(title: string, kind: CredentialKind): Promise<readonly string[] | undefined> {
  const origins = await window.showInputBox({
    title,
    ...PLACES[kind],
    ignoreFocusOut: true,
    validateInput: (text) => (originsIn(text) ? undefined : 'Write addresses like https://models.example.com.')
  });
  return origins === undefined ? undefined : originsIn(origins);
}

async function askToken(title: string): Promise<string | undefined> {
  const prompt = 'The secret itself. It is kept by the editor and never written into a file.';
  return (await window.showInputBox({ title, prompt, password: true, ignoreFocusOut: true }))?.trim();
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

import type { Connection } from 'vscode-languageserver';
import { GetCredential, ListCredentialAliases } from '../../shared/protocol';
import type { CredentialStore } from '../pull/http/credentials';

/** Credentials that the editor keeps for its user, asked for one by one when a pull needs them. */
export function editorCredentials(connection: Connection): CredentialStore {
  return {
    async find(alias) {
      const stored = await connection.sendRequest(GetCredential, { alias });
      return stored ? { alias, ...stored } : undefined;
    },
    aliases: () => connection.sendRequest(ListCredentialAliases)
  };
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CredentialStore, originOf } from '../pull/http/credentials';
import { PUBLIC_HUB } from './hub-address';
import { hubHome } from './hub-folders';

type Environment = Readonly<Record<string, string | undefined>>;

/** The alias of the hub's own token. */
export const HUB_ALIAS = 'huggingface';

/**
 * The hub's token as its own tools keep it: HF_TOKEN, the legacy HUGGING_FACE_HUB_TOKEN, then the token file. It goes
 * to the origin of HF_ENDPOINT when the user set one, else to the public hub, and nowhere else.
 */
export function hubCredentials(environment: Environment): CredentialStore {
  return {
    async find(alias) {
      if (alias !== HUB_ALIAS) return undefined;
      const named = environment['HF_TOKEN'] ?? environment['HUGGING_FACE_HUB_TOKEN'];
      const secret = (named ?? (await tokenFile(environment)))?.trim();
      return secret ? { alias, secret, origins: hubOrigins(environment) } : undefined;
    },
    async aliases() {
      return [HUB_ALIAS];
    }
  };
}

/**
 * A store whose credential for the hub goes to the hub alone, whatever origins were stored with it: to HF_ENDPOINT when
 * the user set one, else to the public hub.
 */
export function keptToHub(store: CredentialStore, environment: Environment): CredentialStore {
  return {
    ...store,
    async find(alias) {
      const found = await store.find(alias);
      return found && alias === HUB_ALIAS ? { ...found, origins: hubOrigins(environment) } : found;
    }
  };
}

function hubOrigins(environment: Environment): readonly string[] {
  return originOf(environment['HF_ENDPOINT'] || PUBLIC_HUB);
}

/** Whether addresses of the hub carry the token although no alias asks for it; the hub's tools do so too. */
export function sendsTokenUnasked(environment: Environment): boolean {
  return !/^(1|on|yes|true)$/i.test(environment['HF_HUB_DISABLE_IMPLICIT_TOKEN'] ?? '');
}

async function tokenFile(environment: Environment): Promise<string | undefined> {
  try {
    return await readFile(environment['HF_TOKEN_PATH'] || join(hubHome(environment), 'token'), 'utf8');
  } catch {
    return undefined;
  }
}

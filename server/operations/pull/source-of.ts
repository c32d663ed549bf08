import { fileURLToPath } from 'node:url';
import { Failure } from '../../../shared/failure';
import type { RegisteredFile } from '../../../shared/manifest/registered-manifest';
import { parseSourceAddress } from '../../../shared/source-address';
import { HUB_ALIAS, sendsTokenUnasked } from '../../huggingface/hub-credentials';
import { HubListings } from '../../huggingface/hub-listing';
import { hubSource } from '../../huggingface/hub-source';
import { type Credential, credentialVariable } from '../../pull/http/credentials';
import { type HttpSourceOptions, httpSource } from '../../pull/http/http-source';
import type { OnWait } from '../../pull/http/origin-waits';
import { fileSource } from '../../pull/local/file-source';
import type { Source } from '../../pull/source';
import type { PublicationOrigin } from '../../registry/registry-state';
import type { Services } from '../services';
import { objectSource } from '../stores/object-source';
import { openStore } from '../stores/open-store';
import { publicationSource } from '../stores/publication-source';

type Parts = Pick<Services, 'http' | 'policy' | 'clock' | 'environment' | 'credentials' | 'log' | 'stores'>;

/**
 * Where the bytes of a manifest's file come from.
 * @throws Failure when the address cannot be used; the first request does when the credential cannot, before it connects:
 *   who has all files of a model already needs none
 */
export async function sourceOf(
  services: Parts & StoreParts,
  file: RegisteredFile,
  { alias, listings = hubListings(services), onWait, publication }: SourceOptions
): Promise<Source> {
  if (publication) return publishedFile(services, file, publication);
  const address = parseSourceAddress(file.url);
  const subject = file.filename;
  switch (address.kind) {
    case 'http': {
      const { url } = address;
      return withCredential(
        () => aliased(services, alias),
        (credential) => web(services, { url, credential, onWait })
      );
    }
    case 'hub': {
      const endpoint = services.environment['HF_ENDPOINT'];
      return withCredential(
        async () => (await aliased(services, alias)) ?? (await hubToken(services)),
        (credential) => hubSource(address, { listings, endpoint, http: webOptions(services, { credential, onWait }) })
      );
    }
    case 'file':
      return fileSource(fileURLToPath(file.url));
    case 'relative':
      throw new Failure('unsupported-address', 'A relative address needs a manifest that is a local file.', {
        subject
      });
    case 'store':
      return objectSource(services, address, alias);
    case 'refused':
      throw new Failure('refused-address', `The address of ${subject} ${address.reason}.`, { subject });
  }
}

export interface SourceOptions {
  /** The credential that the manifest names. */
  readonly alias: string | undefined;
  /** What the hub lists of the repositories of one pull; each file has its own when it is left out. */
  readonly listings?: HubListings;
  /** Hears of it when a server asks to be left alone for a while. */
  readonly onWait?: OnWait | undefined;
  /** Where a model was fetched from: its files are found there, whatever their addresses. */
  readonly publication?: PublicationOrigin | undefined;
}

/** A source whose credential is looked up by the first request. @param make throws for an address that cannot be used */
function withCredential(
  find: () => Promise<Credential | undefined>,
  make: (credential: Credential | undefined) => Source
): Source {
  let proved: Promise<Source> | undefined;
  const source = (): Promise<Source> => {
    proved ??= find().then(make);
    // What was missing once may be there the next time.
    proved.catch(() => {
      proved = undefined;
    });
    return proved;
  };
  return {
    ...make(undefined),
    open: async (request) => (await source()).open(request),
    probe: async (signal) => (await source()).probe(signal)
  };
}

type StoreParts = Parameters<typeof openStore>[0];

async function publishedFile(
  services: StoreParts,
  { filename, sha256, size_bytes }: RegisteredFile,
  publication: PublicationOrigin
): Promise<Source> {
  const store = await openStore(services, publication.store);
  if (sha256 === undefined) throw new Error('the files of publications have digests');
  return publicationSource(store, publication, { name: filename, digest: sha256, bytes: size_bytes ?? null });
}

/** Listings of the hub that the files of one pull share. @param attempts see there */
export function hubListings(
  { environment, log, clock }: Pick<Services, 'environment' | 'log' | 'clock'>,
  { attempts }: { readonly attempts?: number } = {}
): HubListings {
  return new HubListings({ endpoint: environment['HF_ENDPOINT'], log, clock, attempts });
}

/**
 * How the hub is asked: with the credential that a manifest names, else with the hub's own token.
 * @throws Failure('credential-missing')
 */
export async function hubAccess(services: Parts, alias: string | undefined): Promise<HttpSourceOptions> {
  const credential = (await aliased(services, alias)) ?? (await hubToken(services));
  return webOptions(services, { credential, onWait: undefined });
}

/** A file of the hub at its address alone; unless another credential is given, the hub's own token is sent. */
export async function hubFileSource(services: Parts, file: WebFile): Promise<Source> {
  return web(services, { ...file, credential: file.credential ?? (await hubToken(services)) });
}

interface WebFile extends WebAccess {
  readonly url: string;
}

interface WebAccess {
  readonly credential: Credential | undefined;
  readonly onWait: OnWait | undefined;
}

function web(services: Parts, { url, ...access }: WebFile): Source {
  return httpSource(url, webOptions(services, access));
}

function webOptions({ http, policy, clock }: Parts, { credential, onWait }: WebAccess): HttpSourceOptions {
  return { client: http, policy, credential, now: clock.now, onWait };
}

/** The credential that a manifest names, if it names one. @throws Failure('credential-missing') */
async function aliased({ credentials }: Parts, alias: string | undefined): Promise<Credential | undefined> {
  if (alias === undefined) return undefined;
  const credential = await credentials.find(alias);
  if (credential && credential.origins.length > 0) return credential;
  if (credential) {
    throw new Failure('credential-missing', `The credential “${alias}” may be sent nowhere.`, {
      subject: 'credential_alias',
      nextStep: `Store it again with the origins that it is for; on the command line set ${credentialVariable(alias)}_ORIGINS.`
    });
  }
  throw new Failure('credential-missing', `There is no credential named “${alias}”.`, {
    subject: 'credential_alias',
    nextStep: `Store one under that name; on the command line set ${credentialVariable(alias)} and its _ORIGINS.`
  });
}

/** The hub's own tools send its token unasked, and so do we unless they are told not to. */
async function hubToken({ credentials, environment }: Parts): Promise<Credential | undefined> {
  return sendsTokenUnasked(environment) ? credentials.find(HUB_ALIAS) : undefined;
}

import { fileURLToPath } from 'node:url';
import { Failure } from '../../shared/failure';
import type { SourceFile } from '../../shared/manifest/source-manifest';
import { parseSourceAddress } from '../../shared/source-address';
import { hubFileUrl } from '../huggingface/hub-address';
import { fileSource } from '../pull/file-source';
import { httpSource } from '../pull/http-source';
import type { Source } from '../pull/source';
import type { Services } from './services';

type Parts = Pick<Services, 'http' | 'policy' | 'clock' | 'environment'>;

/**
 * Where the bytes of a manifest's file come from.
 * @throws Failure before any connection when the address or the credential cannot be used
 */
export function sourceOf(services: Parts, file: SourceFile, credentialAlias: string | undefined): Source {
  const address = parseSourceAddress(file.url);
  const subject = file.filename;
  if (credentialAlias !== undefined) {
    throw new Failure('credential-missing', `There is no credential named ${credentialAlias}.`, {
      subject: 'credential_alias',
      nextStep: 'Pulling with credentials is not supported yet; remove credential_alias for public files.'
    });
  }
  switch (address.kind) {
    case 'http':
      return web(services, address.url);
    case 'hub':
      return web(services, hubFileUrl(address, services.environment['HF_ENDPOINT']));
    case 'file':
      return fileSource(fileURLToPath(file.url));
    case 'relative':
      throw new Failure('unsupported-address', 'A relative address needs a manifest that is a local file.', {
        subject
      });
    case 'store':
      throw new Failure('unsupported-address', 'Pulling from a team store is not supported yet.', { subject });
    case 'refused':
      throw new Failure('refused-address', `The address of ${subject} ${address.reason}.`, { subject });
  }
}

function web({ http, policy, clock }: Parts, url: string): Source {
  return httpSource(url, { client: http, policy, now: clock.now });
}

import { join } from 'node:path';
import type { WantedFile } from '../../pull/expected-file';
import type { OnWait } from '../../pull/http/origin-waits';
import { fileSource } from '../../pull/local/file-source';
import { requireElsewhere } from '../convert/made-here';
import type { KnownModel } from '../models/known-models';
import type { Services } from '../services';
import type { LocalFiles } from './folder-model';
import { hubListings, sourceOf } from './source-of';

/** What an order to fetch files says of where they come from, beyond the manifest. */
export interface Origins {
  /** Where files are taken from instead of their addresses. */
  readonly from?: LocalFiles | undefined;
  /** Of the credential to use instead of the one that the manifest names. */
  readonly credentialAlias?: string | undefined;
}

export interface WantedFilesOptions extends Origins {
  /** Hears of it when a server asks to be left alone for a while. */
  readonly onWait?: OnWait;
}

/**
 * The files of a model as a pull wants them. What is installed under its name may be damaged or of an earlier version;
 * where pieces are known, the right ones count.
 * @throws Failure when an address cannot be used
 */
export function wantedFiles(
  services: Services,
  model: KnownModel,
  { from, credentialAlias, onWait }: WantedFilesOptions
): Promise<WantedFile[]> {
  const { name, manifest, publication } = model;
  const { files, credential_alias: named } = manifest;
  const alias = credentialAlias ?? named;
  const folder = services.layout.model(name);
  const listings = hubListings(services);
  return Promise.all(
    files.map(async (file) => {
      const local = from?.get(file.filename);
      if (local === undefined) requireElsewhere(model, file.filename);
      return {
        filename: file.filename,
        source:
          local === undefined
            ? await sourceOf(services, file, { alias, listings, onWait, publication })
            : fileSource(local),
        digest: file.sha256 ?? null,
        bytes: file.size_bytes ?? null,
        pieces: file.pieces,
        seeds: [join(folder, file.filename)]
      };
    })
  );
}

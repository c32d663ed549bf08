import type * as z from 'zod';
import { artifactManifest } from '../../../shared/manifest/artifact-manifest';
import { installedManifest } from '../../../shared/manifest/installed-manifest';
import { sourceManifest } from '../../../shared/manifest/source-manifest';

/** The kinds of manifest: authored, of an installed bundle, of a bundle in a team store. */
export type Dialect = 'source' | 'installed' | 'artifact';

/** What each dialect looks like. */
export const DIALECT_SCHEMAS = {
  source: sourceManifest,
  installed: installedManifest,
  artifact: artifactManifest
} as const satisfies Record<Dialect, z.ZodType>;

/** The field of a file entry that names the file in the bundle. */
export const FILE_NAME_FIELDS = { source: 'filename', installed: 'path', artifact: 'name' } as const;

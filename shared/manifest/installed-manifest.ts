import * as z from 'zod';
import { type Digest, isDigest } from '../digest';
import { fileNameProblem } from '../file-name';
import { ROLES } from '../roles';
import { generationDefaults } from './generation-defaults';

/** Every segment of a bundle's path is a safe file name; the separator is `/` on every platform. */
function isBundlePath(path: string): boolean {
  return path.split('/').every((segment) => fileNameProblem(segment) === undefined);
}

const installedFile = z.looseObject({
  path: z.string().refine(isBundlePath, 'not a safe path within the bundle'),
  sha256: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a SHA-256 in lower case'),
  size_bytes: z.int().min(0),
  role: z.enum(ROLES).optional(),
  digest_origin: z.enum(['declared', 'observed']).optional()
});

/** The manifest that we write into an installed bundle, last of all its files. */
export const installedManifest = z.looseObject({
  name: z.string(),
  source: z.string(),
  revision: z.string(),
  task: z.string(),
  engine: z.string(),
  dimensions: z.int().min(0),
  installed_at_unix_ms: z.int().min(0),
  total_size_bytes: z.int().min(0),
  files: z.array(installedFile),
  defaults: generationDefaults.optional(),
  license: z.string().optional()
});

export type InstalledManifest = z.infer<typeof installedManifest>;
export type InstalledFile = z.infer<typeof installedFile>;

import * as z from 'zod';
import { ROLES } from '../roles';
import { generationDefaults } from './generation-defaults';
import { bundlePath, digest, modelName } from './text-rules';

const installedFile = z.looseObject({
  path: bundlePath,
  sha256: digest,
  size_bytes: z.int().min(0),
  role: z.enum(ROLES).optional(),
  digest_origin: z.enum(['declared', 'observed']).optional()
});

/** The manifest that we write into an installed bundle, last of all its files. */
export const installedManifest = z.looseObject({
  $schema: z.string().optional(),
  name: modelName,
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

import * as z from 'zod';
import { bundlePath, digest } from './text-rules';

const artifactFile = z.looseObject({
  name: bundlePath,
  sha256: digest,
  size_bytes: z.int().min(0).optional()
});

/** The manifest of a bundle in a team store; its files are sorted by name. */
export const artifactManifest = z.looseObject({
  $schema: z.string().optional(),
  files: z.array(artifactFile)
});

import * as z from 'zod';
import { ROLES } from '../roles';
import { MOST_FILES, sourceFileFields, sourceManifest } from './source-manifest';
import { bundlePath } from './text-rules';

/** A file of a folder that was registered as a model may lie in a sub-folder, and nobody said what it is for. */
const registeredFile = sourceFileFields.extend({ filename: bundlePath, role: z.enum(ROLES).optional() });

/** What the registry holds of a model: its source manifest, or what was found in a folder, told in the same words. */
export const registeredManifest = sourceManifest.extend({ files: z.array(registeredFile).min(1).max(MOST_FILES) });

export type RegisteredManifest = z.infer<typeof registeredManifest>;
export type RegisteredFile = z.infer<typeof registeredFile>;

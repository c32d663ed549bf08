import * as z from 'zod';
import { CREDENTIAL_ALIAS, CREDENTIAL_ALIAS_FORM } from '../credential-alias';
import { ROLES, TASKS } from '../roles';
import { generationDefaults } from './generation-defaults';
import { declaredDigest, modelName, plainFileName, sourceAddress } from './text-rules';

/** The most files that one manifest may list. */
export const MOST_FILES = 10_000;

/** The largest manifest that is read, in bytes. */
export const LARGEST_MANIFEST_BYTES = 8 * 1024 * 1024;

/** A size in bytes; larger ones lose exactness in JSON readers. */
const byteCount = z.int().min(0);

/** One file of a source manifest: what it is to the engine, where it comes from, and how to know it is right. */
export const sourceFileFields = z.looseObject({
  role: z.enum(ROLES).meta({ description: 'What the file is to the engine.' }),
  url: sourceAddress.meta({
    description: 'Where the file comes from: https:, hf:owner/repo@revision/path, or a path.'
  }),
  filename: plainFileName.meta({ description: 'The file name in the installed model.' }),
  sha256: declaredDigest.optional().meta({ description: 'SHA-256 of the file: 64 hexadecimal digits.' }),
  size_bytes: byteCount.optional().meta({ description: 'Exact size in bytes.' }),
  approx_bytes: byteCount.optional().meta({ description: 'Approximate size in bytes, for display only.' }),
  pieces: z
    .looseObject({ size: byteCount.min(1), sha256: z.array(declaredDigest) })
    .optional()
    .meta({ description: 'Digests of equal pieces of the file, for repair.' })
});

const sourceFile = sourceFileFields.superRefine(({ size_bytes: bytes, pieces }, context) => {
  if (bytes === undefined || !pieces) return;
  const expected = Math.ceil(bytes / pieces.size);
  const listed = pieces.sha256.length;
  if (listed === expected) return;
  context.addIssue({
    code: 'custom',
    path: ['pieces', 'sha256'],
    params: { code: 'size-mismatch' },
    message: `A file of ${bytes} bytes has ${expected} pieces of ${pieces.size} bytes, and ${listed} are listed here; correct “size_bytes”, “size” or the list.`
  });
});

/** The authored, checked-in manifest: which files make up a model and where they come from. */
export const sourceManifest = z.looseObject({
  $schema: z.string().optional(),
  name: modelName.meta({ description: 'Name of the model: letters, digits, dots, underscores and hyphens.' }),
  source: z.string().optional().meta({ description: 'Where the model comes from, for people.' }),
  revision: z.string().optional().meta({ description: 'Version of the source.' }),
  task: z.enum(TASKS).optional().meta({ description: 'What the model is made for.' }),
  engine: z.enum(['sd-cpp']).optional().meta({ description: 'The engine that runs the model.' }),
  license: z.string().optional().meta({ description: 'Licence of the model, for people.' }),
  credential_alias: z
    .string()
    .regex(CREDENTIAL_ALIAS, CREDENTIAL_ALIAS_FORM)
    .optional()
    .meta({ description: 'Alias of the stored token that the files need; never the token itself.' }),
  files: z.array(sourceFile).min(1).max(MOST_FILES).meta({ description: 'The files of the model.' }),
  defaults: generationDefaults.optional().meta({ description: 'How to generate with the model.' })
});

export type SourceManifest = z.infer<typeof sourceManifest>;

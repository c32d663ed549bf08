import * as z from 'zod';
import { parseDigest } from '../digest';
import { fileNameProblem } from '../file-name';
import { modelNameProblem } from '../model-name';
import { ROLES, TASKS } from '../roles';
import { generationDefaults } from './generation-defaults';

/** The most files that one manifest may list. */
export const MOST_FILES = 10_000;

/** The largest manifest that is read, in bytes. */
export const LARGEST_MANIFEST_BYTES = 8 * 1024 * 1024;

/** A size in bytes; larger ones lose exactness in JSON readers. */
const byteCount = z.int('expected a whole number of bytes').min(0, 'a size is not negative');

/** A rule of meaning inside the schema; `params.code` is the stable code that its diagnostic carries. */
function rule(code: string, problem: (text: string) => string | undefined) {
  return z.string().superRefine((text, context) => {
    const reason = problem(text);
    if (reason !== undefined) context.addIssue({ code: 'custom', params: { code }, message: reason, continue: true });
  });
}

const digest = rule('bad-digest', (text) => (parseDigest(text) ? undefined : digestProblem(text)));

function digestProblem(text: string): string {
  const trimmed = text.trim();
  if (!/^[0-9a-f]*$/i.test(trimmed)) return 'A SHA-256 consists of the digits 0-9 and a-f only.';
  return `A SHA-256 has 64 hexadecimal digits, this one has ${trimmed.length}.`;
}

const filename = rule('unsafe-path', (name) => {
  const problem = fileNameProblem(name);
  return problem && `The file name ${problem.reason}; use a plain file name that every platform accepts.`;
});

const name = rule('bad-name', (text) => {
  const problem = modelNameProblem(text);
  return problem && `The model name ${problem}.`;
});

/** One file of a source manifest: what it is to the engine, where it comes from, and how to know it is right. */
const sourceFile = z.looseObject({
  role: z.enum(ROLES).meta({ description: 'What the file is to the engine.' }),
  url: z
    .string()
    .min(1)
    .meta({ description: 'Where the file comes from: https:, hf:owner/repo@revision/path, or a path.' }),
  filename: filename.meta({ description: 'The file name in the installed model.' }),
  sha256: digest.optional().meta({ description: 'SHA-256 of the file: 64 hexadecimal digits.' }),
  size_bytes: byteCount.optional().meta({ description: 'Exact size in bytes.' }),
  approx_bytes: byteCount.optional().meta({ description: 'Approximate size in bytes, for display only.' }),
  pieces: z
    .looseObject({ size: byteCount.min(1), sha256: z.array(digest) })
    .optional()
    .meta({ description: 'Digests of equal pieces of the file, for repair.' })
});

/** The authored, checked-in manifest: which files make up a model and where they come from. */
export const sourceManifest = z.looseObject({
  $schema: z.string().optional(),
  name: name.meta({ description: 'Name of the model: letters, digits, dots, underscores and hyphens.' }),
  source: z.string().optional().meta({ description: 'Where the model comes from, for people.' }),
  revision: z.string().optional().meta({ description: 'Version of the source.' }),
  task: z.enum(TASKS).optional().meta({ description: 'What the model is made for.' }),
  engine: z.enum(['sd-cpp']).optional().meta({ description: 'The engine that runs the model.' }),
  license: z.string().optional(),
  credential_alias: z
    .string()
    .regex(
      /^[a-z0-9-]+$/,
      'A credential alias holds lower-case letters, digits and hyphens; it is never the secret itself.'
    )
    .optional(),
  files: z.array(sourceFile).min(1, 'A model has at least one file.').max(MOST_FILES),
  defaults: generationDefaults.optional()
});

export type SourceManifest = z.infer<typeof sourceManifest>;
export type SourceFile = z.infer<typeof sourceFile>;

import * as z from 'zod';
import { type Digest, parseDigest } from '../digest';
import { bundlePathProblem, fileNameProblem } from '../file-name';
import { modelNameProblem } from '../model-name';
import { parseSourceAddress } from '../source-address';
import type { DiagnosticCode } from './diagnostic-codes';
import {
  BUNDLE_PATH_PATTERN,
  DECLARED_DIGEST_PATTERN,
  DIGEST_PATTERN,
  FILE_NAME_PATTERN,
  MODEL_NAME_PATTERN,
  SOURCE_ADDRESS_PATTERN
} from './text-patterns';

/** The name of a model. */
export const modelName = textRule('bad-name', MODEL_NAME_PATTERN, (text) => {
  const problem = modelNameProblem(text);
  return problem && `The model name ${problem}; for example “flux-schnell-q4” is a good one.`;
});

/** The plain name of a file in a bundle. */
export const plainFileName = textRule('unsafe-path', FILE_NAME_PATTERN, (text) => {
  const problem = fileNameProblem(text);
  return problem && `The file name ${problem.reason}; use a plain file name that every platform accepts.`;
});

/** The path of a file in a bundle; `/` separates. */
export const bundlePath = textRule('unsafe-path', BUNDLE_PATH_PATTERN, (text) => {
  const problem = bundlePathProblem(text);
  if (!problem) return undefined;
  const subject = text.includes('/') ? 'A part of the path' : 'The path';
  return `${subject} ${problem.reason}; use a relative path of plain file names that every platform accepts.`;
});

/** The address of a file, as {@link parseSourceAddress} reads it. */
export const sourceAddress = textRule('bad-url', SOURCE_ADDRESS_PATTERN, (text) => {
  const address = parseSourceAddress(text);
  return address.kind === 'refused' ? `The address ${address.reason}.` : undefined;
});

/** A SHA-256, read trimmed and without regard to case, and handed on in our own spelling. */
export const digest = z
  .string()
  .meta({ pattern: DIGEST_PATTERN })
  .transform((text, context): Digest => {
    const parsed = parseDigest(text);
    if (parsed) return parsed;
    context.addIssue({
      code: 'custom',
      params: { code: 'bad-digest' },
      message: digestProblem(text.trim()),
      input: text
    });
    return z.NEVER;
  });

/** A SHA-256 that people wrote: as {@link digest}, and no placeholder. */
export const declaredDigest = digest
  .superRefine((sha256, context) => {
    if (!isPlaceholder(sha256)) return;
    const message =
      'This digest is a placeholder that no file has; write the SHA-256 of the file, or leave the field out.';
    context.addIssue({ code: 'custom', params: { code: 'placeholder-digest' }, message });
  })
  .meta({ pattern: DECLARED_DIGEST_PATTERN });

/**
 * A rule of meaning inside a schema; `params.code` of its issue is the code that the diagnostic carries.
 * @param pattern what the JSON schema says of it
 */
function textRule(code: DiagnosticCode, pattern: string, problem: (text: string) => string | undefined) {
  return z
    .string()
    .superRefine((text, context) => {
      const message = problem(text);
      if (message !== undefined) context.addIssue({ code: 'custom', params: { code }, message });
    })
    .meta({ pattern });
}

/** People write 64 zeros while they do not know the digest yet; no content with such a digest is known. */
function isPlaceholder(sha256: Digest): boolean {
  return /^(.)\1*$/.test(sha256);
}

function digestProblem(text: string): string {
  const ending = 'run “sha256sum” on the file, or leave the field out.';
  if (/^sha256:/i.test(text)) return 'A SHA-256 is written without “sha256:” in front; remove it.';
  if (!/^[0-9a-f]*$/i.test(text)) return `A SHA-256 consists of the digits 0-9 and a-f only; ${ending}`;
  return `A SHA-256 has 64 hexadecimal digits, this one has ${text.length}; ${ending}`;
}

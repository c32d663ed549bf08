import { open } from 'node:fs/promises';
import { extname, parse } from 'node:path';
import type * as z from 'zod';
import { Failure } from '../../../shared/failure';
import { fileNameProblem } from '../../../shared/file-name';
import { LARGEST_SEED } from '../../../shared/generation';
import { secretFieldOf } from '../../../shared/secrets';
import { LineIndex } from '../../manifest/text/positions';
import { fileFailure } from '../../platform/system-error';
import { BatchMistake, type RawBatch, type ValuePath } from './batch-mistake';
import { type BatchDefinition, batchDefinition, MOST_ITEMS } from './definition';
import { itemCount } from './expand';
import { readCsvBatch } from './read-csv-batch';
import { readJsonBatch } from './read-json-batch';

/** A batch file that makes sense as far as it tells. */
export interface BatchFile {
  /** Absolute. */
  readonly path: string;
  /** The name of the job. */
  readonly name: string;
  readonly definition: BatchDefinition;
  /** Where a value stands: `FILE:LINE:COLUMN`. */
  placeOf(path: ValuePath): string;
}

/** The largest batch file, in bytes. */
const LARGEST_BYTES = 8 * 1024 * 1024;

/** The longest name of a job; encoded, it is a part of keys in stores. */
const LONGEST_NAME = 80;

/**
 * Reads a batch file: comma-separated values when its name ends so, else JSON.
 * @param path absolute
 * @throws Failure 'bad-request' that says where and what, 'file-access'
 */
export async function readBatchFile(path: string): Promise<BatchFile> {
  return parseBatchFile(path, await readText(path));
}

/** The same for a text that was read already. @throws Failure('bad-request') */
export function parseBatchFile(path: string, text: string): BatchFile {
  const index = new LineIndex(text);
  const hasMark = text.startsWith('\ufeff');
  const place = (offset: number): string => {
    const { line, character } = index.positionAt(offset);
    return `${path}:${line + 1}:${Math.max(1, character + (hasMark && line === 0 ? 0 : 1))}`;
  };
  try {
    const raw = extname(path).toLowerCase() === '.csv' ? readCsvBatch(text) : readJsonBatch(text);
    refuseSecrets(raw);
    const definition = definitionOf(raw);
    return {
      path,
      name: nameOf(raw, path),
      definition,
      placeOf: (value) => place(raw.offsetOf(value))
    };
  } catch (error) {
    if (!(error instanceof BatchMistake)) throw error;
    throw new Failure('bad-request', error.message, {
      subject: place(error.start),
      nextStep: error.nextStep ?? 'Correct the batch file.'
    });
  }
}

async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Failure('bad-request', 'The batch file is not UTF-8 text.', {
      subject: path,
      nextStep: 'Save it with the encoding UTF-8.',
      cause
    });
  }
}

/** Only so much is read that it shows when a file is too large. */
async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const found = await file.stat();
      if (!found.isFile()) {
        throw new Failure('file-access', 'The batch cannot be read. It is not a file.', { subject: path });
      }
      if (found.size > LARGEST_BYTES) {
        throw new Failure('bad-request', 'The batch file is larger than 8 MB.', {
          subject: path,
          nextStep: 'Split it into several.'
        });
      }
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileFailure(error, 'The batch cannot be read.', path);
  }
}

/** Never tells the value. */
function refuseSecrets(raw: RawBatch): void {
  const field = secretFieldOf(raw.definition);
  if (field === undefined) return;
  const path = field.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  throw new BatchMistake(
    `${field} carries a secret, and is not the place for one.`,
    raw.offsetOf(path, 'key'),
    'Remove it; store the secret as a credential, and name its alias in the manifest of the model.'
  );
}

function definitionOf(raw: RawBatch): BatchDefinition {
  const parsed = batchDefinition.safeParse(raw.definition);
  if (!parsed.success) throw mistakeOf(raw, parsed.error);
  const { data } = parsed;
  const { seeds, models, prompts } = data;
  if (!Array.isArray(seeds) && (seeds.from ?? 0) + seeds.count - 1 > LARGEST_SEED) {
    throw new BatchMistake(`seeds: the last one would be larger than ${LARGEST_SEED}.`, raw.offsetOf(['seeds']));
  }
  const items = itemCount(data);
  if (items === 0) {
    const missing = models.length === 0 ? 'models' : prompts.length === 0 ? 'prompts' : 'options';
    throw new BatchMistake(
      `The batch asks for no image: there are no ${missing}, and no items.`,
      raw.offsetOf([missing])
    );
  }
  if (items > MOST_ITEMS) {
    throw new BatchMistake(
      `The batch asks for ${items} images; ${MOST_ITEMS} are the most.`,
      raw.offsetOf([]),
      'Split it into several.'
    );
  }
  return data;
}

/** The first mistake; of a value that may be one of several things, that of the likeliest. */
function mistakeOf(raw: RawBatch, { issues }: z.ZodError): BatchMistake {
  const { path, issue } = deepest(issues, []);
  const field = path.map(String).join('.') || 'The batch';
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const where = path.length === 0 ? '' : ` in ${field}`;
    return new BatchMistake(`“${key}” is no field that is known${where}.`, raw.offsetOf([...path, key], 'key'));
  }
  const missing = isMissing(raw.definition, path) ? ', and is missing' : '';
  return new BatchMistake(`${field}: ${issue?.message ?? 'not valid'}${missing}.`, raw.offsetOf(path));
}

function isMissing(definition: unknown, path: ValuePath): boolean {
  const value = path.reduce<unknown>((around, key) => Object(around)[key], definition);
  return value === undefined;
}

type Issue = z.core.$ZodIssue;

function deepest(issues: readonly Issue[], base: ValuePath): { readonly path: ValuePath; readonly issue?: Issue } {
  const [issue] = issues;
  if (!issue) return { path: base };
  const path = [...base, ...issue.path];
  if (issue.code !== 'invalid_union') return { path, issue };
  const branches = issue.errors.map((inner) => deepest(inner, path));
  return branches.toSorted((one, other) => other.path.length - one.path.length)[0] ?? { path, issue };
}

function nameOf(raw: RawBatch, path: string): string {
  const { name } = raw;
  const given = name ?? parse(path).name.replace(/\.batch$/i, '');
  if (typeof given !== 'string') throw new BatchMistake('name: must be a text.', raw.offsetOf(['name']));
  const problem =
    given.length > LONGEST_NAME ? `is longer than ${LONGEST_NAME} characters` : fileNameProblem(given)?.reason;
  if (problem === undefined) return given;
  const what = name === undefined ? 'The name of the file is that of the job, and it' : 'name: the name of the job';
  throw new BatchMistake(
    `${what} ${problem}.`,
    raw.offsetOf(['name']),
    'Name the job with letters, digits and hyphens.'
  );
}

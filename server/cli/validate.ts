import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { hasCandidateName } from '../../shared/manifest/candidate';
import { type PlacedDiagnostic, type Validation, validateManifest } from '../operations/validate-manifest';
import { fileFailure } from '../platform/system-error';
import type { Command } from './command';

export const validate: Command = {
  name: 'validate',
  usage: '[PATH…]',
  summary: 'finds mistakes in manifest files; folders are searched',
  options: {},
  async run(input, { console, folder }) {
    const places = input.names.length === 0 ? ['.'] : input.names;
    const files = (await Promise.all(places.map((place) => manifestFiles(resolve(folder, place))))).flat();
    const validations = await Promise.all([...new Set(files)].toSorted().map(validateManifest));
    console.document(validations.map((validation) => documentOf(validation, folder)));
    for (const { path, dialect, diagnostics } of validations) {
      const shown = relative(folder, path) || path;
      if (dialect === undefined) console.remark(`${shown}: not a model manifest, skipped`);
      for (const { from, severity, message, code } of diagnostics) {
        if (severity === 'hint') continue;
        const colour = severity === 'error' ? 'red' : severity === 'warning' ? 'yellow' : 'dim';
        const place = `${shown}:${from.line + 1}:${from.character + 1}`;
        console.answer(`${place}: ${console.paint(colour, severity)}: ${message} [${code}]`);
      }
    }
    const manifests = validations.filter(({ dialect }) => dialect !== undefined);
    const errors = manifests.flatMap(({ diagnostics }) => diagnostics.filter(({ severity }) => severity === 'error'));
    console.remark(`${manifests.length} manifests, ${errors.length} errors`);
    return errors.length === 0 ? 0 : 1;
  }
};

/** A file itself; of a folder, every file whose name may be a manifest's. @throws Failure */
async function manifestFiles(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    return await searched(path);
  } catch (error) {
    throw fileFailure(error, 'The path cannot be read.', path);
  }
}

/** Folders that hold other people's files. */
const SKIPPED = new Set(['node_modules', '.git']);

async function searched(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : searched(path);
    return entry.isFile() && hasCandidateName(entry.name) ? [path] : [];
  });
  return (await Promise.all(found)).flat();
}

/** One file's findings as JSON; line and column count from 1. */
function documentOf({ path, dialect, diagnostics }: Validation, folder: string): unknown {
  return {
    file: relative(folder, path) || path,
    dialect: dialect ?? null,
    findings: diagnostics.map(({ code, severity, message, from, to }: PlacedDiagnostic) => ({
      code,
      severity,
      message,
      line: from.line + 1,
      column: from.character + 1,
      endLine: to.line + 1,
      endColumn: to.character + 1
    }))
  };
}

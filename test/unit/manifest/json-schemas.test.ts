import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { getLanguageService, TextDocument } from 'vscode-json-languageservice';
import type * as z from 'zod';
import { jsonSchemas, schemaText } from '../../../scripts/schemas.mjs';
import { DIALECT_SCHEMAS, type Dialect } from '../../../server/manifest/recognition/dialect';
import { schemaMark } from '../../../server/manifest/recognition/schema-mark';
import { parseManifestText } from '../../../server/manifest/text/document';
import { anyManifest, RIGHT_MANIFESTS } from './any-manifest';

const folder = path.resolve(import.meta.dirname, '../../../schemas');
const DIALECTS: readonly Dialect[] = ['source', 'installed', 'artifact'];

/** The schema of a dialect as it is checked in. */
function schemaOf(dialect: Dialect): { readonly $id: string } {
  return JSON.parse(readFileSync(path.join(folder, `diffusion-dock.${dialect}.schema.json`), 'utf8'));
}

/** What the JSON schemas let pass although the product refuses it; docs/manifest-schemas.md lists the same. */
const BEYOND_SCHEMAS: Readonly<Record<string, (issue: z.core.$ZodIssue, text: string) => boolean>> = {
  'how many pieces a size has': ({ path: at }) => at.at(-2) === 'pieces' && at.at(-1) === 'sha256',
  'hosts of web addresses, and pages about a file': ({ path: at }, text) =>
    at.at(-1) === 'url' && /^https?:/i.test(text),
  'what percent signs and dots in addresses stand for': ({ path: at }, text) =>
    at.at(-1) === 'url' && (/^hf:[^]*%/i.test(text) || /^file:[^]*(%|\/\.|\/\/)/i.test(text)),
  'bytes of a file name': ({ path: at }, text) =>
    isFileName(at) && text.split('/').some((name) => Buffer.byteLength(name) > 255),
  'other Unicode forms of manifest.json': ({ path: at }, text) =>
    isFileName(at) &&
    text.split('/').some((name) => name.normalize('NFKC').toLowerCase() === 'manifest.json' && name.length > 0)
};

function isFileName(at: readonly PropertyKey[]): boolean {
  return ['filename', 'path', 'name'].includes(String(at.at(-1)));
}

function isBeyondSchemas(manifest: unknown, issue: z.core.$ZodIssue): boolean {
  const value = parseManifestText(JSON.stringify(manifest)).nodeAt(issue.path)?.value;
  return Object.values(BEYOND_SCHEMAS).some((holds) => holds(issue, typeof value === 'string' ? value : ''));
}

describe('the JSON schemas', () => {
  it('are those of the definitions by which the product reads; “npm run schemas” writes them', async () => {
    const made = await jsonSchemas();
    expect(readdirSync(folder).toSorted()).toEqual(made.map(({ file }) => file).toSorted());
    for (const { file, schema } of made) {
      expect(readFileSync(path.join(folder, file), 'utf8'), file).toBe(schemaText(schema));
    }
  });

  it.each(DIALECTS)('have an id by which the language server knows its dialect: %s', (dialect) => {
    const { $id } = schemaOf(dialect);
    expect($id).toBe(`urn:diffusion-dock:schemas/diffusion-dock.${dialect}.schema.json`);
    expect(schemaMark(parseManifestText(JSON.stringify({ $schema: $id })))).toEqual({ dialect, newer: false });
  });

  it.each(DIALECTS)(
    'refuse nothing that the product takes, and take what it refuses only where that is known: %s',
    (dialect) => {
      const validate = new Ajv({ strict: true }).compile(schemaOf(dialect));
      const seen = { both: 0, neither: 0, known: 0 };
      const property = fc.property(anyManifest(dialect), (manifest) => {
        const issues = DIALECT_SCHEMAS[dialect].safeParse(manifest).error?.issues ?? [];
        const isTaken = validate(manifest);
        const isExpected = issues.every((issue) => isBeyondSchemas(manifest, issue));
        if (issues.length === 0 && !isTaken)
          expect.fail(`refused by the schema alone: ${JSON.stringify(validate.errors)}`);
        if (isTaken && !isExpected) expect.fail(`taken by the schema alone: ${JSON.stringify(issues)}`);
        seen[issues.length === 0 ? 'both' : isTaken ? 'known' : 'neither'] += 1;
      });
      fc.assert(property, { numRuns: 3000, seed: 20_261 });
      expect(seen.both).toBeGreaterThan(300);
      expect(seen.neither).toBeGreaterThan(300);
    }
  );

  it.each(DIALECTS)('are read by the JSON service of VS Code and other editors: %s', async (dialect) => {
    expect(await messagesOfJsonService(dialect, RIGHT_MANIFESTS[dialect])).toEqual([]);
    const wrong = { ...RIGHT_MANIFESTS[dialect], files: [{ role: 'model' }, 5] };
    expect(await messagesOfJsonService(dialect, wrong)).toContain('Incorrect type. Expected "object".');
  });
});

async function messagesOfJsonService(dialect: Dialect, manifest: object): Promise<unknown[]> {
  const service = getLanguageService({});
  const document = TextDocument.create(
    'file:///manifest.json',
    'json',
    1,
    JSON.stringify({ ...manifest, $schema: undefined })
  );
  const parsed = service.parseJSONDocument(document);
  const findings = await service.doValidation(document, parsed, undefined, schemaOf(dialect));
  return findings.map(({ message }) => message);
}

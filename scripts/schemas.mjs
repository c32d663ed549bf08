// `npm run schemas`: writes the JSON schemas of the manifests into schemas/, from the definitions that the product
// itself reads manifests by.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './processes.mjs';
import { ensureDependencies, runMain } from './setup.mjs';

/** What people read about each dialect. */
const TITLES = {
  source: 'Model manifest: which files make up a model, and where they come from',
  installed: 'Manifest of an installed model, written by Diffusion Dock',
  artifact: 'Manifest of a model in a team store'
};

const DEFINITIONS = `
  export * as z from 'zod';
  export { DIALECT_SCHEMAS } from './server/manifest/recognition/dialect';`;

/**
 * Makes the JSON schemas (draft 7, which editors and validators know best).
 * @returns {Promise<{ file: string, schema: Record<string, unknown> }[]>} `file`: its name in schemas/
 */
export async function jsonSchemas() {
  const { build } = await import('esbuild');
  const stdin = { contents: DEFINITIONS, resolveDir: root, loader: 'ts' };
  const { outputFiles } = await build({ stdin, bundle: true, format: 'esm', write: false });
  const base64 = Buffer.from(outputFiles[0].contents).toString('base64');
  const { z, DIALECT_SCHEMAS } = await import(`data:text/javascript;base64,${base64}`);
  return Object.entries(DIALECT_SCHEMAS).map(([dialect, definition]) => {
    const file = `diffusion-dock.${dialect}.schema.json`;
    const { $schema, ...rules } = z.toJSONSchema(definition, { target: 'draft-7', io: 'input' });
    // A name, no address: nothing is ever fetched from it. Its last segment is what the language server knows it by.
    return { file, schema: { $schema, $id: `urn:diffusion-dock:schemas/${file}`, title: TITLES[dialect], ...rules } };
  });
}

/** The text of a schema's file. */
export function schemaText(schema) {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

async function main() {
  ensureDependencies();
  const folder = path.join(root, 'schemas');
  await mkdir(folder, { recursive: true });
  for (const { file, schema } of await jsonSchemas()) {
    await writeFile(path.join(folder, file), schemaText(schema));
    console.log(path.join('schemas', file));
  }
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runMain(main);

// `npm run package`: builds for production and packs the extension.

import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageScript, root, runQuietly } from './processes.mjs';
import { ensureBuild, ensureDependencies, runMain, SetupError } from './setup.mjs';

const MOST_BYTES = 1_500_000;
const MOST_FILES = 80;

/**
 * Builds for production and packs the VSIX.
 * @returns {Promise<{ vsix: string, bytes: number, files: number }>} `vsix`: absolute path
 */
export async function packageExtension() {
  await ensureBuild({ production: true });
  const { name, version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const vsix = path.join(root, `${name}-${version}.vsix`);
  const vsce = packageScript('@vscode/vsce/vsce');
  // Without a repository address the README's pictures cannot be given addresses.
  const flags = ['--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links'];
  const args = [vsce, 'package', ...flags, '--out', vsix];
  const { status, output } = await runQuietly(process.execPath, args);
  if (status !== 0) throw new SetupError(`vsce package failed:\n${output}`);
  const [, files] = /\((\d+) files?,/.exec(output) ?? [];
  if (!files) throw new SetupError(`vsce did not say how many files it packed:\n${output}`);
  return { vsix, bytes: statSync(vsix).size, files: Number(files) };
}

async function main() {
  ensureDependencies();
  const { vsix, bytes, files } = await packageExtension();
  console.log(`${path.relative(root, vsix)}: ${(bytes / 1_000_000).toFixed(2)} MB, ${files} files`);
  if (bytes < MOST_BYTES && files < MOST_FILES) return 0;
  console.error(`too large: less than ${MOST_BYTES / 1_000_000} MB and less than ${MOST_FILES} files are allowed`);
  return 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runMain(main);

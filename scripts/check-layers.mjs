// Checks that every import respects the table of layers, and that no imports go round in circles.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ALLOWED_IMPORTS, COMPOSITION_ROOTS, PRODUCT_FOLDERS, VSCODE_USERS } from './layers.mjs';
import { importsOf } from './module-imports.mjs';

const MODULE = /\.(ts|mts|cts|tsx|mjs|cjs|js)$/;
const SEARCHED_FOLDERS = [...PRODUCT_FOLDERS, 'test', 'scripts'];
const SKIPPED_FOLDERS = new Set(['node_modules', 'fixtures', 'output']);

/**
 * @typedef {object} LayerProblem
 * @property {string} file relative, with `/`
 * @property {number} line 1-based
 * @property {string} message
 */

/**
 * Checks all modules of a source tree.
 * @param {string} root
 * @returns {{ modules: number, problems: LayerProblem[] }} problems sorted by file and line
 */
export function checkLayers(root) {
  const modules = SEARCHED_FOLDERS.flatMap((folder) => findModules(root, folder));
  const graph = new Map(modules.map((file) => [file, resolvedImports(root, file)]));
  const problems = [...graph].flatMap(([file, imports]) =>
    imports.flatMap((imported) => {
      const message = problemOf(file, imported);
      return message ? [{ file, line: imported.line, message }] : [];
    })
  );
  const all = [...problems, ...cycleProblems(graph)];
  return {
    modules: modules.length,
    problems: all.toSorted((a, b) => a.file.localeCompare(b.file) || a.line - b.line)
  };
}

function findModules(root, folder) {
  if (!existsSync(path.join(root, folder))) return [];
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : findModules(root, name);
    return MODULE.test(entry.name) ? [name] : [];
  });
}

function resolvedImports(root, file) {
  return importsOf(file, readFileSync(path.join(root, file), 'utf8')).map(({ specifier, line }) => ({
    specifier,
    line,
    target: specifier?.startsWith('.')
      ? resolveModule(root, path.posix.join(path.posix.dirname(file), specifier))
      : undefined
  }));
}

/** Finds the file that a relative import means, as the bundler does. */
function resolveModule(root, target) {
  const candidates = [target, `${target}.ts`, `${target}.mts`, `${target}.tsx`, `${target}/index.ts`];
  return candidates.find((name) => statSync(path.join(root, name), { throwIfNoEntry: false })?.isFile()) ?? target;
}

/** What is wrong with an import; undefined when it is allowed. */
function problemOf(file, { specifier, target }) {
  const isProduct = isUnder(file, PRODUCT_FOLDERS);
  if (specifier === undefined) {
    return isProduct ? 'imports a computed address, which cannot be checked; name the module' : undefined;
  }
  if (specifier === 'vscode') {
    return isUnder(file, VSCODE_USERS) ? undefined : `imports vscode; only ${VSCODE_USERS.join(' and ')} may`;
  }
  if (target === undefined || target === 'package.json' || !isProduct) return undefined;
  if (COMPOSITION_ROOTS.includes(file)) {
    return isUnder(target, ['server', 'shared'])
      ? undefined
      : `imports ${target}; a composition root may import the server`;
  }
  const home = layerOf(file);
  if (!home) return `is in no layer; add its folder to scripts/layers.mjs`;
  const allowed = ALLOWED_IMPORTS.get(home) ?? [];
  if (isUnder(target, [home, ...allowed])) return undefined;
  return `imports ${target}; ${home} may import ${allowed.length ? `only ${allowed.join(', ')}` : 'nothing of ours'}`;
}

const isUnder = (file, folders) => folders.some((folder) => file.startsWith(`${folder}/`));
const layerOf = (file) => [...ALLOWED_IMPORTS.keys()].find((folder) => isUnder(file, [folder]));

/**
 * One problem for each import that closes a circle, found by depth-first search.
 * @param {Map<string, { target?: string, line: number }[]>} graph
 * @returns {LayerProblem[]}
 */
function cycleProblems(graph) {
  const problems = [];
  const finished = new Set();
  const trail = [];
  const visit = (file) => {
    trail.push(file);
    for (const { target, line } of graph.get(file) ?? []) {
      if (!target || !graph.has(target) || finished.has(target)) continue;
      const start = trail.indexOf(target);
      if (start === -1) visit(target);
      else problems.push({ file, line, message: `closes a cycle: ${[...trail.slice(start), target].join(' → ')}` });
    }
    trail.pop();
    finished.add(file);
  };
  for (const file of graph.keys()) if (!finished.has(file)) visit(file);
  return problems;
}

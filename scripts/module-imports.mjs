// Finds what a module imports, in every form that the language has.

import { parseSync, Visitor } from 'oxc-parser';

/**
 * @typedef {object} ModuleImport
 * @property {string | undefined} specifier undefined when it is computed
 * @property {number} line 1-based
 */

/**
 * Static, type-only, re-exporting and dynamic imports, `import('…')` types, `import x = require('…')`, and calls of
 * `require`.
 * @param {string} file names the module; its extension decides the language
 * @param {string} source
 * @returns {ModuleImport[]} in the order of their appearance
 */
export function importsOf(file, source) {
  const { program, errors } = parseSync(file, source);
  const [error] = errors;
  if (error) throw new Error(`${file} does not parse: ${error.message}`);
  const found = [];
  const add = (node) => {
    const specifier = typeof node?.value === 'string' ? node.value : plainTemplate(node);
    found.push({ specifier, start: node?.start ?? 0 });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => node.source && add(node.source),
    ImportExpression: (node) => add(node.source),
    TSImportType: (node) => add(node.source),
    TSExternalModuleReference: (node) => add(node.expression),
    CallExpression: ({ callee, arguments: [argument] }) => {
      if (callee.type === 'Identifier' && callee.name === 'require') add(argument);
    }
  }).visit(program);
  return found
    .toSorted((a, b) => a.start - b.start)
    .map(({ specifier, start }) => ({ specifier, line: source.slice(0, start).split('\n').length }));
}

/** The text of a template literal without substitutions. */
function plainTemplate(node) {
  return node?.type === 'TemplateLiteral' && node.quasis.length === 1 ? node.quasis[0].value.cooked : undefined;
}

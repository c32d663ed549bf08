// The one table of layers: what each part of the product may import.

/** The server's layers from the top; a module may import its own folder and what lies strictly below. */
const SERVER_LAYERS = [
  ['lsp', 'cli', 'mcp'],
  ['operations'],
  ['registry'],
  ['engine', 'artifacts', 'huggingface'],
  ['pull'],
  ['store'],
  ['gallery', 'manifest'],
  ['weights'],
  ['platform']
].map((names) => names.map((name) => `server/${name}`));

/** The modules that only wire: they may import anything of the server. */
export const COMPOSITION_ROOTS = ['server/main.ts', 'server/cli.ts', 'server/commands.ts', 'server/worker.ts'];

/** The only folders whose modules may import `vscode`. */
export const VSCODE_USERS = ['client', 'test/workbench/host'];

/** Folders of the product; the rest (tests, scripts) may import anything but is never imported by these. */
export const PRODUCT_FOLDERS = ['client', 'server', 'shared'];

/**
 * What each folder may import besides itself.
 * @type {ReadonlyMap<string, readonly string[]>}
 */
export const ALLOWED_IMPORTS = new Map([
  ['shared', []],
  ['client', ['shared']],
  ...SERVER_LAYERS.flatMap((folders, index) => {
    const below = [...SERVER_LAYERS.slice(index + 1).flat(), 'shared'];
    return folders.map((folder) => [folder, below]);
  })
]);

/** The VS Code version under test. */
export const VERSION = process.env['DIFFUSION_DOCK_VSCODE_VERSION'] ?? '1.100';

/** The packed extension; absent, tests use the built one. */
export const VSIX = process.env['DIFFUSION_DOCK_VSIX'];

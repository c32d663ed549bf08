import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { findInstallation } from '../../support/vscode/install-location.mjs';
import { installVsix } from '../../support/vscode/server.mjs';
import { VERSION, VSIX } from './under-test';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder with the packed extension as VS Code has installed it; absent when there is none. */
    readonly installed?: string;
  }
}

/** Has VS Code install the packed extension once, for all tests: every workbench starts with a copy. */
export default async function installExtension(project: TestProject): Promise<(() => void) | undefined> {
  if (!VSIX) return undefined;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'dock-installed-'));
  const [userData, serverData, extensions] = ['user-data', 'server-data', 'extensions'].map((name) =>
    path.join(folder, name)
  ) as [string, string, string];
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    await installVsix(findInstallation(VERSION), { userData, serverData, extensions }, VSIX);
  } catch (error) {
    remove();
    throw error;
  }
  project.provide('installed', extensions);
  return remove;
}

// How fast the language server answers an editor while it pulls, beside the same server with nothing to do.

import path from 'node:path';
import { printResponsiveness, startEditor } from '../editor.mjs';
import { startGenerator } from './generator-server.mjs';
import { writeManifest } from './product.mjs';

/** @param {import('./unthrottled.mjs').PullBench} bench */
export async function benchResponsiveness({ folder, bytes }) {
  const generator = await startGenerator(bytes);
  const manifest = await writeManifest(folder, generator);
  const editor = await startEditor(path.join(folder, 'home'), manifest);
  try {
    await printResponsiveness(editor, 'while pulling', () =>
      editor.request('diffusionDock/models/pull', { name: 'bench' })
    );
  } finally {
    editor.close();
    await generator.close();
  }
}

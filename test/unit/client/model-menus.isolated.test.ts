import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { treeItem } from '../../../client/models/model-item';
import type { Conversion } from '../../../shared/conversion';
import type { ModelStatus, ModelSummary } from '../../../shared/model';
import type { Role } from '../../../shared/roles';

vi.mock('vscode', () => import('../../support/tree-editor'));

interface Entry {
  readonly command: string;
  readonly when: string;
  readonly group: string;
}

const manifest = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../../package.json'), 'utf8')) as {
  readonly contributes: { readonly menus: { readonly 'view/item/context': readonly Entry[] } };
};

const MADE: Conversion = { from: 'tiny', type: 'q8_0', engine: 'sd-cli', files: ['a.gguf'] };

function model(status: ModelStatus, role: Role, fields: Partial<ModelSummary> = {}): ModelSummary {
  return { name: 'tiny', status, files: [{ path: 'a.gguf', role, present: true }], ...fields };
}

/** The buttons in the row of a model, from left to right, in a trusted workspace. */
function buttonsOf(summary: ModelSummary): string[] {
  const facts = treeItem({ kind: 'model', model: summary }, undefined).contextValue ?? '';
  const entries = manifest.contributes.menus['view/item/context'].filter(({ when, group }) => {
    const [, pattern] =
      /^view == diffusionDock\.models && viewItem =~ \/(.+)\/(?: && isWorkspaceTrusted)?$/.exec(when) ?? [];
    return group.startsWith('inline@') && pattern !== undefined && new RegExp(pattern).test(facts);
  });
  const ordered = entries.toSorted((one, other) => one.group.localeCompare(other.group));
  return ordered.map(({ command }) => command.replace('diffusionDock.', ''));
}

it.each<[string, ModelSummary, readonly string[]]>([
  ['that is not here', model('registered', 'model'), ['models.pull']],
  ['that is here', model('installed', 'model'), ['models.verify', 'generate']],
  ['that enlarges images', model('installed', 'upscale_model'), ['models.verify', 'upscaleImage']],
  ['whose folder is gone', model('missing', 'model'), ['models.pull']],
  ['that is damaged', model('unhealthy', 'model'), ['models.verify', 'models.heal']],
  ['that is outdated', model('outdated', 'model'), ['models.verify', 'models.pull']],
  ['that was made here and removed', model('registered', 'model', { madeHere: MADE }), ['models.convertAgain']],
  ['whose manifest has problems', model('invalid', 'model'), []]
])('the row of a model %s has the buttons that make sense', (_, summary, buttons) => {
  expect(buttonsOf(summary)).toEqual(buttons);
});

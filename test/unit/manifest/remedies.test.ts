import { describe, expect, it } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { fixesFor } from '../../../server/manifest/fixes/fixes';
import { contradictionsOfWeights } from '../../../server/manifest/rules/weights';
import { parseManifestText } from '../../../server/manifest/text/document';
import type { Component } from '../../../server/weights/components';
import type { WeightsDescription } from '../../../server/weights/describe';
import type { Family, Variant } from '../../../server/weights/families';
import { DIGEST, sourceFile, sourceWith } from './marked';

interface Installed {
  readonly component: Component;
  readonly family?: Family;
  readonly variant?: Variant;
}

/** What the fixes of the findings in a manifest of one installed file make of it, by their titles. */
function fixed(role: string, installed: Installed, defaults = '{}'): ReadonlyMap<string, unknown> {
  const figures = { parameters: 100, bytes: 100, memoryBytes: 100 };
  const parts = [{ ...installed, ...figures, isPrefixed: true }];
  const description: WeightsDescription = { format: 'gguf', ...installed, ...figures, types: [], parts };
  const text = sourceWith({ files: `[${sourceFile({ role: `"${role}"` })}]`, defaults });
  const document = parseManifestText(text);
  const rows = contradictionsOfWeights(document, new Map([['a.bin', { sha256: DIGEST, description }]]));
  const fixes = rows.flatMap((row) => fixesFor(document, 'source', row));
  return new Map(fixes.map(({ title, edits }) => [title, JSON.parse(applied(text, edits))]));
}

function applied(text: string, edits: readonly { start: number; end: number; text: string }[]): string {
  const document = TextDocument.create('file:///m.json', 'json', 1, text);
  const textEdits = edits.map(({ start, end, text: newText }) => {
    return { range: { start: document.positionAt(start), end: document.positionAt(end) }, newText };
  });
  return TextDocument.applyEdits(document, textEdits);
}

describe('what only the header of an installed file shows', () => {
  it('is mended by the role that the file has', () => {
    const fixes = fixed('vae', { component: 'taesd' });
    expect([...fixes.keys()]).toEqual(['Write “taesd”']);
    expect(fixes.get('Write “taesd”')).toMatchObject({ files: [{ role: 'taesd', filename: 'a.bin' }] });
  });

  it('is left to people where no role is for such a file', () => {
    expect(fixed('clip_l', { component: 'clip_h' })).toEqual(new Map());
  });

  it('is mended by an entry for each file that the family needs', () => {
    const fixes = fixed('diffusion_model', { component: 'diffusion_model', family: 'flux' });
    expect([...fixes.keys()]).toEqual([
      'Add a file with the role “vae”',
      'Add a file with the role “clip_l”',
      'Add a file with the role “t5xxl”'
    ]);
    expect(fixes.get('Add a file with the role “t5xxl”')).toMatchObject({
      files: [{ role: 'diffusion_model' }, { role: 't5xxl', url: '', filename: '' }]
    });
  });

  it.each<[string, Installed, string, string, unknown]>([
    ['sides', { component: 'diffusion_model', family: 'sd1' }, '{ "width": 500 }', 'Write 512', { width: 512 }],
    [
      'frames',
      { component: 'diffusion_model', family: 'sd1' },
      '{ "steps": 5, "video_frames": 9 }',
      'Remove the field',
      { steps: 5 }
    ]
  ])('is mended in the defaults: %s', (_, installed, defaults, title, mended) => {
    const fixes = fixed('model', installed, defaults);
    expect([...fixes.keys()]).toEqual([title]);
    expect(fixes.get(title)).toHaveProperty('defaults', mended);
  });
});

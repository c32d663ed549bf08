import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../server/manifest/diagnostics';
import { fixesFor } from '../../../server/manifest/fixes/fixes';
import { contradictionsOfWeights, type InstalledWeights } from '../../../server/manifest/rules/weights';
import { parseManifestText } from '../../../server/manifest/text/document';
import type { WeightsDescription } from '../../../server/weights/describe';
import type { Family, RecognisedFamily } from '../../../server/weights/families';
import { DIGEST, sourceFile, sourceWith } from './marked';

const figures = { parameters: 100, bytes: 100, memoryBytes: 100 };

function weightsOf(model: RecognisedFamily): WeightsDescription {
  const parts = [{ component: 'diffusion_model' as const, ...model, ...figures, isPrefixed: true }];
  return { format: 'gguf', component: 'diffusion_model', ...model, ...figures, types: [], parts };
}

interface Situation {
  /** Roles of further files, of which nothing is known. */
  readonly besides?: readonly string[];
  /** The digest that the manifest asks for. */
  readonly sha256?: string;
}

/** The rows about the defaults of a model whose installed file is of a family. */
function rowsOf(
  model: RecognisedFamily,
  defaults: object,
  { besides = [], sha256 = DIGEST }: Situation = {}
): string[] {
  const text = manifestText(defaults, [{ role: '"model"', sha256: `"${sha256}"` }, ...besides.map(roleOf)]);
  const installed: [string, InstalledWeights][] = [['a.bin', { sha256: DIGEST, description: weightsOf(model) }]];
  return contradictionsOfWeights(parseManifestText(text), new Map(installed))
    .filter(({ code }) => code === 'unfit-default' || code === 'unnecessary-field')
    .map(({ code, severity, message, start, end }) => `${severity} ${code} at ${text.slice(start, end)}: ${message}`);
}

function roleOf(role: string, index: number) {
  return { role: `"${role}"`, url: `"https://example.com/${index}"`, filename: `"${index}.bin"` };
}

function manifestText(defaults: object, files: readonly Parameters<typeof sourceFile>[0][]): string {
  return sourceWith({ files: `[${files.map(sourceFile).join()}]`, defaults: JSON.stringify(defaults) });
}

describe('a default that does not go with the family of the installed weights', () => {
  it.each<[RecognisedFamily, object, string]>([
    [
      { family: 'sdxl' },
      { height: 1000 },
      'hint unfit-default at 1000: The engine rounds this up to 1024; models of Stable Diffusion XL make multiples of 64.'
    ],
    [
      { family: 'flux', variant: 'dev' },
      { cfg_scale: 7 },
      'hint unfit-default at 7: Models of Flux are usually run with a “cfg_scale” of 1, for guidance is part of their weights.'
    ],
    [
      { family: 'flux', variant: 'schnell' },
      { steps: 20 },
      'hint unfit-default at 20: Flux schnell is made for about 4 steps; more take time and change little.'
    ],
    [
      { family: 'qwen-image' },
      { video_frames: 33 },
      'warning unfit-default at 33: Qwen-Image makes no videos, so that every run would be refused; remove “video_frames”.'
    ],
    [
      { family: 'sd1' },
      { guidance: 3.5 },
      'hint unnecessary-field at "guidance": Stable Diffusion 1 takes no such value, so that nothing reads this one; remove it.'
    ]
  ])('is told where it stands, %j %j', (model, defaults, row) => {
    expect(rowsOf(model, defaults)).toEqual([row]);
  });

  it.each<[RecognisedFamily, object]>([
    [{ family: 'sdxl' }, { width: 1024, height: 960, cfg_scale: 7, steps: 30, clip_skip: 2 }],
    [
      { family: 'flux', variant: 'dev' },
      { width: 1000, cfg_scale: 1, guidance: 3.5, steps: 50, flow_shift: 1 }
    ],
    [
      { family: 'flux', variant: 'schnell' },
      { steps: 12, cfg_scale: 1 }
    ],
    [{ family: 'z-image' }, { cfg_scale: 5, steps: 50, video_frames: 1 }],
    [
      { family: 'flux2', variant: 'klein' },
      { cfg_scale: 4, steps: 20 }
    ],
    [{ family: 'wan' }, { video_frames: 33, fps: 16, guidance: 1 }],
    [{ family: 'lumina2' }, { width: 100, guidance: 3, cfg_scale: 9, video_frames: 33, fps: 8 }],
    [{ family: 'sd1' }, { width: '500', steps: null }]
  ])('is not told of what goes with it, nor of what nobody knows, %j %j', (model, defaults) => {
    expect(rowsOf(model, defaults)).toEqual([]);
  });

  it('is not told while the manifest asks for another file than is installed', () => {
    expect(rowsOf({ family: 'sd1' }, { width: 500 }, { sha256: `f${DIGEST.slice(1)}` })).toEqual([]);
  });

  it('is not told of what a LoRA may be made for', () => {
    expect(rowsOf({ family: 'flux', variant: 'dev' }, { cfg_scale: 3 }, { besides: ['lora'] })).toEqual([]);
  });

  it('is not told while files of different families are installed', () => {
    const families: Family[] = ['sd1', 'sdxl'];
    const files = families.map((_, index) => ({ ...roleOf('model', index), sha256: `"${DIGEST}"` }));
    const text = manifestText({ width: 500 }, files);
    const installed = families.map((family, index): [string, InstalledWeights] => [
      `${index}.bin`,
      { sha256: DIGEST, description: weightsOf({ family }) }
    ]);
    expect(contradictionsOfWeights(parseManifestText(text), new Map(installed))).toEqual([]);
  });
});

/** The row at the default for the noisy steps of a model with files of these roles. */
function found(roles: readonly string[]) {
  const text = manifestText({ high_noise_steps: 8 }, roles.map(roleOf));
  const document = parseManifestText(text);
  const rows = diagnose(document, 'source', { reportSyntax: true });
  return { text, document, row: rows.find(({ start }) => text.startsWith('"high_noise_steps"', start)) };
}

describe('a default for a model of the noisy steps', () => {
  it('is unnecessary without one, and removed by a fix', () => {
    const { text, document, row } = found(['diffusion_model', 'vae', 't5xxl']);
    expect(row).toMatchObject({ code: 'unnecessary-field', severity: 'hint' });
    const [fix] = fixesFor(document, 'source', row!);
    const [edit] = fix!.edits;
    expect(JSON.parse(text.slice(0, edit!.start) + edit!.text + text.slice(edit!.end)).defaults).toEqual({});
  });

  it.each([[['diffusion_model', 'high_noise_diffusion_model']], [['diffusion_model', 'something_noisy']]])(
    'is not while one is listed, or may be: %j',
    (roles) => {
      expect(found(roles).row).toBeUndefined();
    }
  );
});

import { describe, expect, it } from 'vitest';
import { completeAt } from '../../../server/manifest/completion/complete';
import type { ManifestCompletion } from '../../../server/manifest/completion/completion';
import type { ManifestKnowledge } from '../../../server/manifest/knowledge';
import type { Dialect } from '../../../server/manifest/recognition/dialect';
import { parseManifestText } from '../../../server/manifest/text/document';
import { ROLES } from '../../../shared/roles';
import { knowing } from './known';
import { installedWith, sourceFile, sourceWith, sourceWithFile } from './marked';

interface Completed {
  readonly text: string;
  readonly items: readonly ManifestCompletion[];
  readonly labels: () => string[];
  /** The text after choosing a completion, without tab stops. */
  readonly choose: (label: string) => string;
}

/** Completes at the `‸` in a text. */
async function complete(
  marked: string,
  {
    knowledge = knowing(),
    dialect = 'source',
    folder = '/w'
  }: Partial<{ knowledge: ManifestKnowledge; dialect: Dialect; folder: string }> = {}
): Promise<Completed> {
  const offset = marked.indexOf('‸');
  const text = marked.replace('‸', '');
  const items = await completeAt({ document: parseManifestText(text), dialect, knowledge, folder }, offset);
  return {
    text,
    items,
    labels: () => items.toSorted((a, b) => a.rank - b.rank).map(({ label }) => label),
    choose(label) {
      const item = items.find((candidate) => candidate.label === label);
      if (!item) throw new Error(`nothing is called ${label}`);
      const written = item.snippet.replaceAll(/\$\{\d+:(\w*)\}|\$\d/g, '$1').replaceAll(/\\(.)/g, '$1');
      return text.slice(0, item.range.start) + written + text.slice(item.range.end);
    }
  };
}

describe('at the name of a field', () => {
  it('offers what the object does not have yet, required fields first', async () => {
    const { labels } = await complete('{ "name": "m", ‸ }');
    expect(labels()[0]).toBe('files');
    expect(labels()).not.toContain('name');
    expect(labels()).toEqual(expect.arrayContaining(['task', 'license', 'defaults', 'credential_alias']));
  });

  it('writes a value with the name, and a comma where more follows', async () => {
    const { choose } = await complete('{ ‸"name": "m" }');
    expect(choose('task')).toBe('{ "task": "","name": "m" }');
  });

  it('leaves the value alone when there is one', async () => {
    const { choose, labels } = await complete('{ "files": [{ "r‸": "vae" }] }');
    expect(labels()).toEqual(expect.arrayContaining(['role', 'url', 'filename']));
    expect(choose('role')).toBe('{ "files": [{ "role": "vae" }] }');
  });

  it('goes on with a word that has no quotes yet', async () => {
    expect((await complete('{ tas‸ }')).choose('task')).toBe('{ "task": "" }');
  });

  it('knows the fields of defaults and of pieces', async () => {
    expect((await complete('{ "defaults": { ‸ } }')).labels()).toContain('cfg_scale');
    expect((await complete('{ "files": [{ "pieces": { ‸ } }] }')).labels()).toEqual(['size', 'sha256']);
  });

  it('writes a first file with the list of files', async () => {
    const text = (await complete('{ ‸ }')).choose('files');
    expect(JSON.parse(text)).toEqual({ files: [{ role: '', url: '', filename: '' }] });
  });

  it('knows the fields of installed manifests', async () => {
    const { labels } = await complete('{ "files": [{ ‸ }] }', { dialect: 'installed' });
    expect(labels()).toEqual(expect.arrayContaining(['path', 'sha256', 'size_bytes']));
  });
});

describe('at a value', () => {
  it('offers every role with its meaning, those of other files last', async () => {
    const text = sourceWith({ files: `[${sourceFile({ role: '"vae"' })}, ${sourceFile({ role: '"‸"' })}]` });
    const { labels, items } = await complete(text);
    expect(labels().toSorted()).toEqual([...ROLES].toSorted());
    expect(labels().at(-1)).toBe('vae');
    expect(items.find(({ label }) => label === 't5xxl')?.documentation).toContain('T5-XXL');
  });

  it('replaces what is written there', async () => {
    const { choose } = await complete('{ "task": "in‸put" }');
    expect(choose('inpaint')).toBe('{ "task": "inpaint" }');
  });

  it('offers samplers and noise schedules', async () => {
    expect((await complete('{ "defaults": { "sampling_method": ‸ } }')).labels()).toContain('dpm++2m');
    expect((await complete('{ "defaults": { "steps": ‸ } }')).labels()).toEqual(['20', '4', '8', '10']);
    expect((await complete('{ "defaults": { "scheduler": "‸" } }')).labels()).toContain('karras');
  });

  it('offers the aliases of stored credentials', async () => {
    const { labels } = await complete('{ "credential_alias": "‸" }', { knowledge: knowing({ aliases: ['our-hub'] }) });
    expect(labels()).toEqual(['our-hub']);
  });

  it('offers the file name that the address ends with', async () => {
    const text = sourceWithFile({ url: '"https://example.com/a%20b.gguf?download=1"', filename: '"‸"' });
    expect((await complete(text)).labels()).toEqual(['a b.gguf']);
  });

  it('offers beginnings of addresses and the files beside the manifest', async () => {
    const knowledge = knowing({ entries: { '/w': ['vae.gguf', 'weights/', '.hidden', 'manifest.json'] } });
    const { labels, choose } = await complete('{ "files": [{ "url": "‸" }] }', { knowledge });
    expect(labels()).toEqual(['hf:', 'https://', 's3://', 'file:///', 'vae.gguf', 'weights/']);
    expect(choose('weights/')).toBe('{ "files": [{ "url": "weights/" }] }');
  });

  it('goes on within a folder', async () => {
    const knowledge = knowing({ entries: { '/w/weights': ['a.gguf'] } });
    const { choose } = await complete('{ "files": [{ "url": "weights/‸" }] }', { knowledge });
    expect(choose('weights/a.gguf')).toBe('{ "files": [{ "url": "weights/a.gguf" }] }');
  });

  it('offers a whole entry in the list of files', async () => {
    const text = (await complete('{ "files": [‸] }')).choose('{ role, url, filename }');
    expect(JSON.parse(text)).toEqual({ files: [{ role: '', url: '', filename: '' }] });
  });

  it('offers nothing where anything may stand', async () => {
    expect((await complete('{ "license": "‸" }')).labels()).toEqual([]);
    expect((await complete('{ "homepage": "‸" }')).labels()).toEqual([]);
    expect((await complete(installedWith({ files: '[{ "path": "‸" }]' }), { dialect: 'installed' })).labels()).toEqual(
      []
    );
  });
});

it('offers nothing in a text beyond what is read', async () => {
  expect((await complete(`{ ‸ "a": ${'['.repeat(100)}`)).labels()).toEqual([]);
});

it('keeps its offsets behind a byte order mark and astral characters', async () => {
  const { choose } = await complete('\ufeff{ "license": "😀", "task": "‸" }');
  expect(choose('video')).toBe('\ufeff{ "license": "😀", "task": "video" }');
});

import { describe, expect, it } from 'vitest';
import { formatManifest } from '../../../server/manifest/answers/format';
import { hoverAt } from '../../../server/manifest/answers/hover';
import { inlayHintsIn } from '../../../server/manifest/answers/inlay-hints';
import { lensesOf } from '../../../server/manifest/answers/lenses';
import { linksIn } from '../../../server/manifest/answers/links';
import { foldsOf, outlineOf } from '../../../server/manifest/answers/outline';
import { parseManifestText } from '../../../server/manifest/text/document';
import { knowing, modelNamed } from './known';
import { DIGEST, installedWith, sourceFile, sourceWith, sourceWithFile } from './marked';

const INSTALLED = modelNamed('tiny', {
  status: 'installed',
  bytes: 4_200_000_000,
  files: [
    { path: 'a.bin', bytes: 4_200_000_000, present: true },
    { path: 'b.bin', present: false }
  ]
});

function whole(text: string) {
  return { start: 0, end: text.length };
}

/** What is told at the `‸` in a text. */
async function told(marked: string, knowledge = knowing()): Promise<readonly string[]> {
  const text = marked.replace('‸', '');
  const hover = await hoverAt(parseManifestText(text), 'source', knowledge, marked.indexOf('‸'));
  return hover?.paragraphs ?? [];
}

describe('a hover', () => {
  it('tells what a field means', async () => {
    expect(await told('{ "li‸cense": "MIT" }')).toEqual(['Licence of the model, for people.']);
  });

  it('tells what a role is', async () => {
    expect((await told(sourceWithFile({ role: '"‸vae"' })))[0]).toBe('The VAE that turns latents into pixels.');
  });

  it('tells sizes in units for people', async () => {
    expect((await told(sourceWithFile({ size_bytes: '42‸00000000' })))[0]).toBe('4.2 GB');
  });

  it('tells where an address leads, and never its query', async () => {
    const hub = await told(sourceWithFile({ url: '"hf:o/r@abc/‸p/a.bin"' }));
    expect(hub[0]).toBe('p/a.bin of the Hugging Face repository o/r, at abc.');
    const web = await told(sourceWithFile({ url: '"https://‸h.example/a?key=CANARY"' }));
    expect(web.join()).not.toContain('CANARY');
  });

  it('tells the state of the model and of its files', async () => {
    const knowledge = knowing({ models: [INSTALLED] });
    expect((await told(sourceWith({ name: '"ti‸ny"' }), knowledge))[0]).toBe('tiny: installed, 4.2 GB.');
    expect((await told(sourceWithFile({ filename: '"a‸.bin"' }), knowledge))[0]).toBe('Installed, 4.2 GB.');
    expect((await told(sourceWithFile({ filename: '"b‸.bin"' }), knowledge))[0]).toBe(
      'Missing in the installed model.'
    );
  });

  it('tells what an installed file is by its header', async () => {
    const description = {
      format: 'gguf',
      component: 'diffusion_model',
      family: 'flux',
      variant: 'fill',
      parameters: 11_900_000_000,
      bytes: 6_800_000_000,
      memoryBytes: 6_800_000_000,
      types: [
        { dtype: 'Q4_K', tensors: 1, bytes: 6_600_000_000 },
        { dtype: 'F16', tensors: 1, bytes: 199_000_000 },
        { dtype: 'F32', tensors: 1, bytes: 1_000_000 }
      ],
      parts: []
    } as const;
    const knowledge = knowing({ models: [INSTALLED], weights: { 'a.bin': description, 'b.bin': description } });
    expect((await told(sourceWithFile({ filename: '"a‸.bin"' }), knowledge))[1]).toBe(
      'Flux diffusion model (fill), GGUF: 11.9 billion parameters in Q4_K and F16, 6.8 GB of memory.'
    );
    expect((await told(sourceWithFile({ filename: '"b‸.bin"' }), knowledge)).join()).not.toContain('Flux');
  });

  it('tells which installed models hold a content', async () => {
    const knowledge = knowing({ holders: { [DIGEST]: ['one', 'two'] } });
    const text = sourceWithFile({ sha256: `"‸${DIGEST.toUpperCase()}"` });
    expect((await told(text, knowledge))[0]).toBe('Installed content of one, two.');
  });

  it('tells nothing of what nobody knows', async () => {
    expect(await told('{ "homepage": "‸x" }')).toEqual([]);
    expect(await told('{ ‸ }')).toEqual([]);
  });
});

describe('links', () => {
  const options = { folder: '/w', hub: 'https://huggingface.co' };

  it('lead to pages of the hub, web addresses and files', () => {
    const text = sourceWith({
      source: '"https://example.com/about"',
      files: `[${['hf:o/r@v 1/p/a b.bin', 'https://example.com/a.bin', 'file:///x/a.bin', 'w/a.bin']
        .map((url) => sourceFile({ url: JSON.stringify(url) }))
        .join(',')}]`
    });
    const links = linksIn(parseManifestText(text), options);
    expect(links.map(({ target }) => target)).toEqual([
      'https://example.com/about',
      'https://huggingface.co/o/r/blob/v%201/p/a%20b.bin',
      'https://example.com/a.bin',
      'file:///x/a.bin',
      'file:///w/w/a.bin'
    ]);
    expect(text.slice(links[1]!.start, links[1]!.end)).toBe('hf:o/r@v 1/p/a b.bin');
  });

  it('do not lead where nothing may be fetched from', () => {
    expect(linksIn(parseManifestText(sourceWithFile({ url: '"javascript:alert(1)"' })), options)).toEqual([]);
    expect(linksIn(parseManifestText(sourceWithFile({ url: '"command:x"' })), options)).toEqual([]);
    expect(linksIn(parseManifestText('{ "source": "Somebody’s samples" }'), options)).toEqual([]);
  });
});

describe('hints in the text', () => {
  it('tell sizes and what is here', async () => {
    const files = [sourceFile({ size_bytes: '4200000000' }), sourceFile({ filename: '"b.bin"', approx_bytes: '12' })];
    const text = sourceWith({ files: `[${files.join(',')}]` });
    const hints = await inlayHintsIn(parseManifestText(text), 'source', knowing({ models: [INSTALLED] }), whole(text));
    expect(hints.map((hint) => hint.text).toSorted()).toEqual(['4.2 GB', '✓ installed', '✗ missing']);
    const behind = hints.find((hint) => hint.text === '4.2 GB')!.offset;
    expect(text.slice(0, behind)).toMatch(/4200000000$/);
  });

  it('say nothing about a model that nobody pulled', async () => {
    const text = sourceWithFile({});
    const knowledge = knowing({ models: [modelNamed('tiny', { files: [{ path: 'a.bin', present: false }] })] });
    expect(await inlayHintsIn(parseManifestText(text), 'source', knowledge, whole(text))).toEqual([]);
  });
});

describe('lenses', () => {
  it.each([
    ['registered', ['Pull']],
    ['installed', ['Generate', 'Verify']],
    ['missing', ['the installed files are gone', 'Pull Again']],
    ['unhealthy', ['damaged', 'Pull Again', 'Verify']],
    ['outdated', ['outdated', 'Pull Again', 'Verify']]
  ] as const)('offer what can be done with a model that is %s', async (status, titles) => {
    const knowledge = knowing({ models: [modelNamed('tiny', { status })] });
    const lenses = await lensesOf(parseManifestText(sourceWith({})), knowledge);
    expect(lenses.map(({ title }) => title)).toEqual(titles);
  });

  it.each([
    ['installed', ['Generate', 'Verify', 'Publish']],
    ['outdated', ['outdated', 'Pull Again', 'Verify']]
  ] as const)('offer to publish what is sound, where there is a team store: %s', async (status, titles) => {
    const knowledge = knowing({ models: [modelNamed('tiny', { status })], canPublish: true });
    const lenses = await lensesOf(parseManifestText(sourceWith({})), knowledge);
    expect(lenses.map(({ title }) => title)).toEqual(titles);
  });

  it('are none for a model that nobody knows', async () => {
    expect(await lensesOf(parseManifestText(sourceWith({})), knowing())).toEqual([]);
  });
});

describe('the outline', () => {
  it('shows the model, its files with their roles, and its defaults', () => {
    const text = sourceWith({ task: '"edit"', defaults: '{ "steps": 4 }' });
    const [model] = outlineOf(parseManifestText(text), 'source');
    expect(model).toMatchObject({ name: 'tiny', detail: 'edit', kind: 'model' });
    expect(model?.children.map(({ name, detail }) => [name, detail])).toEqual([
      ['a.bin', 'model'],
      ['defaults', '']
    ]);
    expect(model?.children[1]?.children[0]).toMatchObject({ name: 'steps', detail: '4' });
  });

  it('folds objects and lists that span lines', () => {
    const text = '{\n"a": [\n1\n],\n"b": [1]\n}';
    expect(foldsOf(parseManifestText(text)).map(({ start, end }) => text.slice(start, end))).toEqual([text, '[\n1\n]']);
  });
});

describe('formatting', () => {
  const layout = { tabSize: 2, insertSpaces: true, range: undefined };

  it('changes white space only', () => {
    const text = '\ufeff{"b":1e3,"a":[ {"x":"\\u0041"} ]}';
    const edits = formatManifest(parseManifestText(text), layout);
    let formatted = text;
    for (const edit of edits.toSorted((a, b) => b.start - a.start)) {
      formatted = formatted.slice(0, edit.start) + edit.text + formatted.slice(edit.end);
    }
    expect(formatted).toBe('\ufeff{\n  "b": 1e3,\n  "a": [\n    {\n      "x": "\\u0041"\n    }\n  ]\n}');
  });

  it('keeps the line ends that are there', () => {
    const edits = formatManifest(parseManifestText('{"a":1,\r\n"b":2}'), layout);
    expect(edits.map(({ text }) => text).join('')).not.toMatch(/(?<!\r)\n/);
  });

  it('leaves alone what is no JSON, comments included', () => {
    expect(formatManifest(parseManifestText('{"a":1 // x\n}'), layout)).toEqual([]);
    expect(formatManifest(parseManifestText('{"a":'), layout)).toEqual([]);
  });

  it('leaves a text alone that is in order already', () => {
    const text = `${JSON.stringify(JSON.parse(installedWith({})), null, 2)}\n`;
    expect(formatManifest(parseManifestText(text), layout)).toEqual([]);
  });
});

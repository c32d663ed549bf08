import { describe, expect, it } from 'vitest';
import { parseBatchFile } from '../../../../server/operations/batch/batch-file';
import { fixSeeds, itemsOf } from '../../../../server/operations/batch/expand';
import { failureIn } from '../../engine/failures';

/** The items of a batch as `model|prompt|seed|options`; seeds are drawn from 1000 on. */
function items(text: string, path = '/work/job.json'): string[] {
  const { definition } = parseBatchFile(path, text);
  let drawn = 999;
  const draw = (): number => {
    drawn += 1;
    return drawn;
  };
  return itemsOf(definition, fixSeeds(definition, draw)).map(({ model, prompt, seed, options }) =>
    [model, prompt, seed, JSON.stringify(options)].join('|')
  );
}

const json = (value: unknown): string => JSON.stringify(value, null, 2);

/** What is said of a text, and where. */
function complaint(text: string, path = '/work/job.json'): string {
  const { message, subject } = failureIn(() => parseBatchFile(path, text));
  return `${subject}: ${message}`;
}

const csv = (text: string): string[] => items(text, '/work/job.csv');
const csvComplaint = (text: string): string => complaint(text, '/work/job.csv');

describe('a batch in JSON', () => {
  it('is every combination of models, prompts, options and seeds, models outermost, then its own items', () => {
    const text = json({
      models: ['m1', 'm2'],
      prompts: ['a', 'b'],
      options: [{ steps: 1 }, { steps: 2 }],
      seeds: [7, 8],
      items: [{ model: 'm3', prompt: 'c', cfg_scale: 3 }]
    });
    const all = items(text);
    expect(all).toHaveLength(17);
    expect(all.slice(0, 5)).toEqual([
      'm1|a|7|{"steps":1}',
      'm1|a|8|{"steps":1}',
      'm1|a|7|{"steps":2}',
      'm1|a|8|{"steps":2}',
      'm1|b|7|{"steps":1}'
    ]);
    expect(all[8]).toBe('m2|a|7|{"steps":1}');
    expect(all[16]).toBe('m3|c|1000|{"cfg_scale":3}');
  });

  it('draws seeds once for all combinations, and one for each item without', () => {
    const text = json({ models: ['m'], prompts: ['a', 'b'], seeds: { count: 2 } });
    expect(items(text)).toEqual(['m|a|1000|{}', 'm|a|1001|{}', 'm|b|1000|{}', 'm|b|1001|{}']);
    expect(items(json({ models: ['m'], prompts: ['a'], seeds: { from: 5, count: 2 } }))).toEqual([
      'm|a|5|{}',
      'm|a|6|{}'
    ]);
  });

  it('takes a single set of options without a list', () => {
    expect(items(json({ models: ['m'], prompts: ['a'], seeds: [1], options: { hires: { scale: 2 } } }))).toEqual([
      'm|a|1|{"hires":{"scale":2}}'
    ]);
  });

  it.each([
    ['no JSON', '{', '/work/job.json:1:1: The text ends too early'],
    ['a list', '[]', '/work/job.json:1:1: A batch is one JSON object.'],
    [
      'nothing to make',
      json({ models: ['m'] }),
      '/work/job.json:1:1: The batch asks for no image: there are no prompts'
    ],
    ['an unknown field', json({ models: ['m'], promts: [] }), '/work/job.json:5:3: “promts” is no field'],
    [
      'an unknown option',
      json({ models: ['m'], prompts: ['a'], options: [{ stesp: 3 }] }),
      '/work/job.json:10:7: “stesp” is no field that is known in options.0.'
    ],
    [
      'a number of images',
      json({ models: ['m'], prompts: ['a'], options: { images: 3 } }),
      ':9:5: “images” is no field'
    ],
    [
      'a value out of range',
      json({ models: ['m'], prompts: ['a'], options: [{}, { steps: 0 }] }),
      '/work/job.json:11:16: options.1.steps: must be a whole number from 1 to 1000.'
    ],
    [
      'a value out of range in a single set of options',
      json({ models: ['m'], prompts: ['a'], options: { width: 'wide' } }),
      ':9:14: options.width: must be a whole number'
    ],
    [
      'an unknown value in a value',
      json({ models: ['m'], prompts: ['a'], options: { hires: { scale: 2, size: 1 } } }),
      ':11:7: “size”'
    ],
    [
      'a seed that is none',
      json({ models: ['m'], prompts: ['a'], seeds: [1, -1] }),
      ':10:5: seeds.1: must be a whole number'
    ],
    ['seeds that are none', json({ models: ['m'], prompts: ['a'], seeds: 4 }), ':8:12: seeds: must be a list'],
    [
      'an item without a model',
      json({ items: [{ prompt: 'a' }] }),
      ':3:5: items.0.model: must be a text, and is missing.'
    ],
    [
      'too many items',
      json({ models: ['m'], prompts: ['a', 'b'], seeds: { count: 10_000 } }),
      'asks for 20000 images; 10000 are the most'
    ],
    [
      'too many seeds',
      json({ models: ['m'], prompts: ['a'], seeds: { count: 10_001 } }),
      'seeds.count: must be a whole number from 1 to 10000'
    ],
    [
      'a name that leads elsewhere',
      json({ name: '../x', models: ['m'], prompts: ['a'] }),
      '/work/job.json:2:11: name: the name of the job contains a path separator.'
    ],
    [
      'a name with what nobody sees',
      json({ name: 'a\u202eb', models: ['m'], prompts: ['a'] }),
      'contains an invisible or control character'
    ],
    [
      'a secret',
      json({ models: ['m'], prompts: ['a'], options: { hf_token: 'hf_canary' } }),
      ':9:5: options.hf_token carries a secret'
    ],
    [
      'an address with a password',
      json({ models: ['m'], prompts: ['https://u:canary@h/'] }),
      ':6:5: prompts.0 carries a secret'
    ],
    ['text behind a byte order mark', `\ufeff{"models": 3}`, '/work/job.json:1:12: models: must be a list.']
  ])('is refused for %s, with the place', (_, text, expected) => {
    expect(complaint(text)).toContain(expected);
    expect(complaint(text)).not.toContain('canary');
  });

  it.each([
    ['/work/lights.json', 'lights'],
    ['/work/lights.batch.json', 'lights'],
    ['/work/night.v2.Batch.JSON', 'night.v2']
  ])('is named by its file, %s, without what says only that it is a batch', (path, name) => {
    expect(parseBatchFile(path, json({ models: ['m'], prompts: ['a'] })).name).toBe(name);
  });

  it('is refused when the name of its file cannot be that of a job', () => {
    expect(complaint(json({ models: ['m'], prompts: ['a'] }), '/work/.hidden.json')).toContain('starts with a dot');
  });
});

describe('a batch in CSV', () => {
  it('has the options of the command line as columns, whatever its line ends, marks, quotes and empty lines', () => {
    const text = [
      '\ufeffmodel,prompt,seed,cfg-scale,hires-scale,vae-tiling,reference,reference',
      'm,"a ""cat"", sitting',
      'down",7,2.5,2,true,a.png,b.png',
      '',
      '  ',
      'm,plain,,,,,,'
    ].join('\r\n');
    expect(csv(`${text}\r\n`)).toEqual([
      'm|a "cat", sitting\r\ndown|7|{"cfg_scale":2.5,"vae_tiling":true,"references":["a.png","b.png"],"hires":{"scale":2}}',
      'm|plain|1001|{}'
    ]);
  });

  it.each([
    ['nothing', '', '/work/job.csv:1:1: The file is empty'],
    ['a heading alone', 'model,prompt\n', ':1:1: The batch asks for no image'],
    ['an unknown column', 'model,prompt,stesp\nm,a,1', '/work/job.csv:1:14: “stesp” is no column that is known.'],
    ['a column without a name', 'model,,prompt\nm,a,1', ':1:7: A column has no name.'],
    ['a column twice', 'model,prompt,model\nm,a,m', ':1:14: There are two columns “model”.'],
    ['no column for the model', 'prompt\na', ':1:1: There is no column “model”.'],
    ['too few cells', 'model,prompt\nm,a\nm', '/work/job.csv:3:1: The line has 1 cells, and there are 2 columns.'],
    ['too many cells', 'model,prompt\nm,a,b', ':2:5: The line has 3 cells'],
    ['a quote in a cell', 'model,prompt\nm,a "cat"', ':2:5: A quote stands in the middle of a cell'],
    ['text behind a quote', 'model,prompt\nm,"a"b', ':2:6: Behind a closing quote'],
    ['an open quote', 'model,prompt\nm,"a\nb\nc', ':2:3: A quote is opened here and never closed.'],
    ['a carriage return alone', 'model,prompt\rm,a', ':1:13: Lines must end with LF or CRLF'],
    [
      'a value out of range',
      'model,prompt,seed\nm,a,1\nm,b,-1',
      '/work/job.csv:3:5: items.1.seed: must be a whole number'
    ],
    ['a value that is no number', 'model,prompt,hires-scale\nm,a,big', ':2:5: items.0.hires.scale: must be a number'],
    ['an item without a prompt', 'model,prompt\nm,\n', ':2:3: items.0.prompt: must be a text, and is missing.'],
    ['an item without a model', 'model,prompt\n,a\n', ':2:1: items.0.model: must be a text, and is missing.'],
    ['a secret in its heading', 'model,prompt,hf-token\nm,a,hf_canary', ':1:14: “hf-token” is no column'],
    ['too many items', `model,prompt\n${'m,a\n'.repeat(10_001)}`, 'items: must hold at most 10000 entries.']
  ])('is refused for %s, with the place', (_, text, expected) => {
    expect(csvComplaint(text)).toContain(expected);
    expect(csvComplaint(text)).not.toContain('canary');
  });

  it('says that columns are separated by commas when they are not', () => {
    expect(failureIn(() => parseBatchFile('/work/job.csv', 'model;prompt\nm;a')).nextStep).toBe(
      'Columns are separated by commas.'
    );
  });
});

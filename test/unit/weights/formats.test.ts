import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readWeights } from '../../../server/weights/headers/read-weights';
import { createModelFolder } from '../../support/stand-in/testing/model-folder';
import { temporaryFolder } from '../../support/temporary-folder';
import { ggufFile } from '../../support/weights/gguf-file';
import { safetensorsFile } from '../../support/weights/safetensors-file';

const ONE = safetensorsFile([{ name: 'a', dtype: 'U8', shape: [1] }]);
const whole = ({ start, size }: typeof ONE): Buffer => Buffer.concat([start, Buffer.alloc(size - start.length)]);

async function written(name: string, content: string | Buffer): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, content);
  return path;
}

const read = (path: string) => readWeights(path, { pickles: 'refused' });

describe('the format of a file', () => {
  it('is told by its bytes, whatever the file is called', async () => {
    expect(await read(await written('model.gguf', whole(ONE)))).toMatchObject({ format: 'safetensors' });
    const gguf = whole(ggufFile([{ name: 'a', dtype: 'F32', shape: [1] }]));
    expect(await read(await written('model.safetensors', gguf))).toMatchObject({ format: 'gguf' });
  });

  it.each<[string, string | Buffer]>([
    ['an empty file', ''],
    ['a web page', '\n<!DOCTYPE html><html><title>Sign in</title>'],
    ['a pointer of Git LFS', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n'],
    ['a 7z archive', Buffer.from('377abcaf271c0004', 'hex')],
    ['a compressed file', Buffer.from('1f8b0800', 'hex')],
    ['a ZIP archive', Buffer.from('504b03040a00000000000000000000000000000000000000000005000000612e747874', 'hex')],
    ['a file of zeros', Buffer.alloc(2000)],
    ['no file of a format that weights are kept in', 'just some words']
  ])('is said to be %s', async (words, content) => {
    const path = await written('model.safetensors', content);
    await expect(read(path)).rejects.toMatchObject({
      code: 'unsupported-weights',
      message: expect.stringContaining(`This is ${words}`),
      subject: path
    });
  });

  it.each<[string, Buffer]>([
    ['pickle', Buffer.from('80025d71002e', 'hex')],
    [
      'torch-zip',
      Buffer.from(`504b0304${'00'.repeat(22)}10000000${Buffer.from('archive/data.pkl').toString('hex')}`, 'hex')
    ]
  ])('is refused when it is a %s that calls itself safetensors, unless it may be one', async (format, content) => {
    const path = await written('model.safetensors', content);
    await expect(read(path)).rejects.toMatchObject({
      code: 'unsupported-weights',
      message: expect.stringContaining('is a pickle, which can run code')
    });
    expect(await readWeights(path, { pickles: 'named' })).toEqual({ format });
  });

  it('is known of every model that the engine was recorded with', async () => {
    const folder = await temporaryFolder();
    createModelFolder(folder);
    const format = async (name: string) => (await readWeights(join(folder, name), { pickles: 'named' })).format;
    expect(await format('sd1.ckpt')).toBe('torch-zip');
    expect(await format('sdxs-q1_0.gguf')).toBe('gguf');
    expect(await format('conv/sd1-q8_0.gguf')).toBe('gguf');
    expect(await format('sd1.safetensors')).toBe('safetensors');
    expect(await format('embeddings/tinyemb.safetensors')).toBe('safetensors');
  });

  it('is not asked of what is no file', async () => {
    const folder = await temporaryFolder();
    await expect(read(folder)).rejects.toMatchObject({ code: 'file-access' });
    await expect(read(join(folder, 'missing'))).rejects.toMatchObject({
      code: 'file-access',
      subject: join(folder, 'missing')
    });
  });
});

/** One file of several. */
function part(...names: string[]): Buffer {
  return whole(safetensorsFile(names.map((name) => ({ name, dtype: 'U8', shape: [1] }))));
}

async function model(index: string, shards: Readonly<Record<string, Buffer>>): Promise<string> {
  const folder = join(await temporaryFolder(), 'model');
  await mkdir(folder);
  for (const [name, content] of Object.entries(shards)) await writeFile(join(folder, name), content);
  const path = join(folder, 'model.safetensors.index.json');
  await writeFile(path, index);
  return path;
}

/** A part with one tensor and 6000 pairs of metadata. */
function noted(name: string, key: string): Buffer {
  const metadata = Object.fromEntries(Array.from({ length: 6000 }, (_, n) => [`${key}${n}`, name]));
  return whole(safetensorsFile([{ name, dtype: 'U8', shape: [1] }], metadata));
}

describe('a model in several files', () => {
  const SHARDS = { 'one.safetensors': part('a', 'b'), 'two.safetensors': part('c') };

  it('is read through its index', async () => {
    const index = `{
      "metadata": { "total_size": 3.5e1, "more": [null, true, { "x": ["y"] }] },
      "weight_map": { "a": "one.safetensors", "c": "two.safetensors", "b": "one.safetensors" }
    }\n`;
    const header = await read(await model(index, SHARDS));
    expect(header).toMatchObject({ format: 'safetensors-index', shards: ['one.safetensors', 'two.safetensors'] });
    expect('tensors' in header && header.tensors.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it.each(['/etc/passwd', '../one.safetensors', 'a/one.safetensors', '..', '', 'nul', 'C:one', 'a\\\\b'])(
    'is refused when a part is called %j',
    async (name) => {
      const path = await model(`{"weight_map":{"a":"${name}"}}`, SHARDS);
      await expect(read(path)).rejects.toMatchObject({
        code: 'bad-weights',
        message: expect.stringMatching(/^The header is damaged: the name of a file /)
      });
    }
  );

  it.each([
    [
      'a tensor that is not in its part',
      '{"weight_map":{"a":"two.safetensors"}}',
      'is not in the file that the index names'
    ],
    ['a tensor twice', '{"weight_map":{"a":"one.safetensors","a":"one.safetensors"}}', 'a tensor is there twice'],
    ['no map', '{"metadata":{}}', 'does not say which file holds what'],
    ['two maps', '{"weight_map":{},"weight_map":{}}', 'is there twice'],
    ['values that lie too deep', `{"metadata":${'['.repeat(90)}`, 'too deep'],
    ['a word that is no value', '{"metadata":nil}', 'a value is missing']
  ])('is refused for %s', async (_, index, words) => {
    await expect(read(await model(index, SHARDS))).rejects.toMatchObject({
      code: 'bad-weights',
      message: expect.stringContaining(words)
    });
  });

  it('is refused when its files have too much metadata together, and read when they say the same', async () => {
    const index = '{"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}';
    const same = await read(
      await model(index, { 'one.safetensors': noted('a', 'x'), 'two.safetensors': noted('b', 'x') })
    );
    expect('metadata' in same && same.metadata.size).toBe(6000);
    const other = { 'one.safetensors': noted('a', 'x'), 'two.safetensors': noted('b', 'y') };
    await expect(read(await model(index, other))).rejects.toMatchObject({
      code: 'bad-weights',
      message: 'The header is damaged: the files have too much metadata together (at “y4000”).'
    });
  });

  it('names the part that is missing or damaged', async () => {
    const path = await model('{"weight_map":{"a":"three.safetensors"}}', SHARDS);
    await expect(read(path)).rejects.toMatchObject({
      code: 'file-access',
      subject: expect.stringMatching(/three\.safetensors$/)
    });
  });
});

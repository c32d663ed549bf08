import { describe, expect, it } from 'vitest';
import { DIGEST, expectRow, expectRows, expectSilence, sourceFile, sourceWith, sourceWithFile } from './marked';

describe('a right source manifest', () => {
  it('gets no row', () => {
    expectSilence(sourceWithFile({ sha256: `"${DIGEST}"`, size_bytes: '7' }));
  });

  it('may carry fields of other tools, a byte order mark, CRLF line ends and astral characters', () => {
    const text = sourceWith({ source: '"😀 𝔘"', homepage: '{ "a": [1.5, null] }', $comment: '"x"', _note: '1' });
    expectSilence(`\ufeff${text.replaceAll('\n', '\r\n')}`);
  });

  it('may have a field named __proto__, which changes nothing', () => {
    expectSilence(sourceWith({ ['__proto__']: '{ "name": 5 }' }));
  });
});

describe('fields', () => {
  it('gives one row for all missing fields of one object', () => {
    const row = expectRow(sourceWith({ files: '[«{»"role": "vae"}]' }), 'schema');
    expect(row.message).toBe('The fields “url”, “filename” are missing; add them.');
  });

  it('shows what the manifest itself lacks at its opening brace', () => {
    expect(expectRow('«{»}', 'schema').message).toBe('The fields “name”, “files” are missing; add them.');
  });

  it('shows what an object in a field lacks at the name of the field', () => {
    expectRow(sourceWithFile({ sha256: `"${DIGEST}",\n«"pieces"»: { "size": 1 }` }), 'schema');
  });

  it('gives one row for a value of the wrong type', () => {
    expect(expectRow(sourceWith({ license: '«5»' }), 'schema').message).toBe('“license” must be a text, not a number.');
    expect(expectRow(sourceWith({ files: '[«"a.bin"»]' }), 'schema').message).toBe(
      'Entry 1 of “files” must be an object, not a text.'
    );
  });

  it('shows a list or an object of the wrong type at its name, not over pages', () => {
    expectRow(sourceWith({ files: undefined, name: '"tiny",\n«"files"»: { "a": 1 }' }), 'schema');
  });

  it('gives one row for a document that is no object', () => {
    expect(expectRow('«[»]', 'schema').message).toBe('The manifest must be an object, not a list.');
  });

  it('gives one row for an empty list of files', () => {
    const row = expectRow(sourceWith({ files: undefined, name: '"tiny",\n«"files"»: []' }), 'schema');
    expect(row.message).toBe('“files” is empty; list at least one.');
  });

  it('gives one row for pieces that do not add up to the size of their file', () => {
    const digests = `["${DIGEST}", "${DIGEST}"]`;
    const marked = `{ "size": 4, «"sha256"»: ${digests} }`;
    const row = expectRow(sourceWithFile({ size_bytes: '9', pieces: marked }), 'size-mismatch');
    expect(row.message).toContain('has 3 pieces of 4 bytes, and 2 are listed');
    const pieces = `{ "size": 4, "sha256": ${digests} }`;
    expectSilence(sourceWithFile({ size_bytes: '8', pieces }));
    expectSilence(sourceWithFile({ pieces }));
  });

  it('gives one row for a default out of range', () => {
    const row = expectRow(sourceWith({ defaults: '{ "width": «1» }' }), 'schema');
    expect(row.message).toBe('“width” must be at least 64.');
  });

  it('gives one row for a credential alias that is none', () => {
    const row = expectRow(sourceWith({ credential_alias: '«"My Token"»' }), 'schema');
    expect(row.message).toContain('never the secret itself');
  });

  it('takes a misspelled required field for that field: one row, at its name', () => {
    const row = expectRow(
      sourceWithFile({ filename: undefined, url: '"x.bin",\n«"file_name"»: "a.bin"' }),
      'unknown-field'
    );
    expect(row).toMatchObject({ severity: 'error', message: 'Nothing reads “file_name”; did you mean “filename”?' });
  });

  it('warns of a misspelled optional field, because nothing would read it', () => {
    const row = expectRow(sourceWithFile({ url: `"x.bin",\n«"sha265"»: "${DIGEST}"` }), 'unknown-field');
    expect(row).toMatchObject({ severity: 'warning', message: 'Nothing reads “sha265”; did you mean “sha256”?' });
  });

  it('says nothing about an unknown field whose neighbour in spelling is there', () => {
    expectSilence(sourceWithFile({ sha256: `"${DIGEST}"`, sha_256: '"another tool\'s"', urls: '[]' }));
  });
});

describe('roles and other choices', () => {
  it.each([
    ['vea', 'vae'],
    ['Clip-L', 'clip_l'],
    ['controlnet', 'control_net'],
    ['unet', 'diffusion_model'],
    ['checkpoint', 'model']
  ])('suggests a role for %s', (written, meant) => {
    const row = expectRow(sourceWithFile({ role: `«"${written}"»` }), 'unknown-role');
    expect(row.message).toBe(`“${written}” is not known for “role”; did you mean “${meant}”?`);
  });

  it('lists the roles when none is near', () => {
    expect(expectRow(sourceWithFile({ role: '«"weights"»' }), 'unknown-role').message).toContain('use one of model, ');
  });

  it('gives one row for an unknown task or engine', () => {
    expectRows(sourceWith({ task: '«"txt2img"»', engine: '«"sdcpp"»' }), ['unknown-value', 'unknown-value']);
  });

  it('gives one row for a role that is no text', () => {
    expectRow(sourceWithFile({ role: '«null»' }), 'schema');
  });

  it('keeps a message short whatever somebody wrote', () => {
    const row = expectRow(sourceWithFile({ role: `«"${'😀'.repeat(500)}"»` }), 'unknown-role');
    expect(row.message.length).toBeLessThan(500);
  });
});

describe('names', () => {
  it.each(['""', '"a b"', '".a"', '"a/b"', '"nul"', '"\\u0000"', '"ä"'])(
    'gives one row for the model name %s',
    (name) => {
      expectRow(sourceWith({ name: `«${name}»` }), 'bad-name');
    }
  );

  it.each([
    ['../x', 'leads out of the bundle'],
    ['..\\\\x', 'leads out of the bundle on Windows'],
    ['/x', 'is absolute'],
    ['C:x', 'names a drive'],
    ['nul.txt', 'is reserved by Windows'],
    ['a.', 'loses its end on Windows'],
    ['a\\u202eb', 'shows itself in another order'],
    ['manifest.json', 'belongs to the bundle'],
    ['staging/x', 'is a path'],
    ['', 'is empty'],
    ['a\\ud800', 'is no Unicode text']
  ])('gives one row for a file name that %s %s', (name) => {
    expectRow(sourceWithFile({ filename: `«"${name}"»` }), 'unsafe-path');
  });

  it.each([
    ['a.bin', 'a.bin'],
    ['M.bin', 'm.bin'],
    ['caf\u00e9', 'cafe\u0301'],
    ['\u212a', 'k']
  ])('gives one row, at the second, for %s and %s in one folder', (first, second) => {
    const files = [
      sourceFile({ filename: `"${first}"` }),
      sourceFile({ filename: `«"${second}"»`, sha256: `"${DIGEST}"` })
    ];
    const text = sourceWith({ files: `[${files.join()}]` });
    const row = expectRow(text, 'duplicate-path');
    expect(row.related).toHaveLength(1);
    const { start, end } = row.related![0]!;
    expect(text.replaceAll(/[«»]/g, '').slice(start, end)).toBe(`"${first}"`);
  });
});

describe('digests', () => {
  it.each([
    ['63 digits', DIGEST.slice(1)],
    ['65 digits', `${DIGEST}0`],
    ['a letter too far', `g${DIGEST.slice(1)}`],
    ['nothing', ''],
    ['a prefix', `sha256:${DIGEST}`]
  ])('gives one row for a digest of %s', (_, digest) => {
    expectRow(sourceWithFile({ sha256: `«"${digest}"»` }), 'bad-digest');
  });

  it('gives one row for a placeholder', () => {
    expectRow(sourceWithFile({ sha256: `«"${'0'.repeat(64)}"»` }), 'placeholder-digest');
  });

  it.each([DIGEST.toUpperCase(), ` ${DIGEST}`, `${DIGEST}\\n`])('only hints at the spelling of %j', (digest) => {
    expect(expectRow(sourceWithFile({ sha256: `«"${digest}"»` }), 'digest-format').severity).toBe('information');
  });

  it('checks the digests of pieces, each for itself', () => {
    const pieces = `{ "size": 1024, "sha256": ["${DIGEST}", «"12"», «5»] }`;
    expectRows(sourceWithFile({ pieces }), ['bad-digest', 'schema']);
  });
});

describe('addresses', () => {
  it.each([
    'data:,x',
    'javascript:alert(1)',
    'ftp://h/x',
    '//h/x',
    'http://169.254.169.254/x',
    'hf:o/../x',
    '/etc/passwd',
    ''
  ])('gives one row for %s', (url) => {
    expectRow(sourceWithFile({ url: `«"${url}"»` }), 'bad-url');
  });

  it('says where the file of a hub page is', () => {
    const row = expectRow(sourceWithFile({ url: '«"https://huggingface.co/o/r/blob/main/a.bin"»' }), 'bad-url');
    expect(row.message).toContain('write “/resolve/” instead of “/blob/”');
  });

  it('warns once of plain http to another machine, and not to this one', () => {
    expect(expectRow(sourceWithFile({ url: '«"http://example.com/x"»' }), 'insecure-url').severity).toBe('warning');
    expectSilence(sourceWithFile({ url: '"http://127.0.0.1:8000/x"' }));
  });
});

describe('secrets', () => {
  it.each([
    ['url', 'https://h/x?X-Amz-Signature=CANARY', 'secret'],
    ['url', 'http://h/x?token=CANARY', 'secret'],
    ['url', 'https://user:CANARY@h/x', 'bad-url'],
    ['api_key', 'CANARY', 'secret'],
    ['note', `hf_${'CANARY'.repeat(6)}`, 'secret']
  ])('gives one row for %s %s, and never repeats it', (field, value, code) => {
    const row = expectRow(sourceWithFile({ [field]: `«"${value}"»` }), code);
    expect(row.severity).toBe('error');
    expect(JSON.stringify(row)).not.toContain('CANARY');
  });

  it('finds a token in a credential alias, a list or a field of no object of ours', () => {
    const token = `«"hf_${'x'.repeat(34)}"»`;
    expectRow(sourceWith({ credential_alias: token }), 'secret');
    expectRow(sourceWith({ notes: `{ "a": [1, ${token}] }` }), 'secret');
  });
});

describe('a newer format', () => {
  it('gets one row that asks for an update, whatever else it holds', () => {
    const schema = '«"https://example.com/diffusion-dock.source.v999.schema.json"»';
    const row = expectRow(`{ "$schema": ${schema}, "name": 5, "parts": {} }`, 'newer-format');
    expect(row.message).toContain('newer version');
  });
});

describe('roles', () => {
  const other = { url: '"https://example.com/b.bin"', filename: '"b.bin"' };

  it('are taken once by the engine', () => {
    const files = `[${sourceFile({})}, ${sourceFile({ ...other, role: '«"model"»' })}]`;
    const row = expectRow(sourceWith({ files }), 'duplicate-role');
    expect(row.related).toHaveLength(1);
  });

  it('may repeat for LoRAs, and for the parts of one file', () => {
    const lora = { role: '"lora"' };
    expectSilence(sourceWith({ files: `[${sourceFile(lora)}, ${sourceFile({ ...other, ...lora })}]` }));
    const parts = [1, 2].map((part) => sourceFile({ filename: `"w-0000${part}-of-00002.safetensors"` }));
    expectSilence(sourceWith({ files: `[${parts.join(',')}]` }));
  });

  it('have to be there for the task', () => {
    const row = expectRow(sourceWith({ task: '«"upscale"»' }), 'missing-role');
    expect(row.message).toContain('“upscale_model”');
    expectSilence(sourceWith({ task: '"upscale"', files: `[${sourceFile({ role: '"upscale_model"' })}]` }));
    expectSilence(sourceWith({ files: `[${sourceFile({ role: '"vae"' })}]` }));
  });

  it('are not missed while one of them is unknown', () => {
    const files = `[${sourceFile({ role: '«"something"»' })}]`;
    expectRow(sourceWith({ task: '"video"', files }), 'unknown-role');
  });

  it('come in pairs', () => {
    const files = `[${sourceFile({ role: '«"high_noise_diffusion_model"»' })}]`;
    expectRow(sourceWith({ files }), 'missing-role');
  });
});

describe('what is read but better written otherwise', () => {
  it('is a branch of the hub, less so with a digest', () => {
    const url = '«"hf:o/r@main/a.bin"»';
    expect(expectRow(sourceWithFile({ url }), 'unpinned-revision').severity).toBe('information');
    const proved = sourceWithFile({ url, sha256: `"${DIGEST}"` });
    expect(expectRow(proved, 'unpinned-revision').severity).toBe('hint');
    expectRow(sourceWithFile({ url: '«"https://huggingface.co/o/r/resolve/main/a.bin"»' }), 'unpinned-revision');
    expectSilence(sourceWithFile({ url: `"hf:o/r@${'a1'.repeat(20)}/a.bin"` }));
    expectSilence(sourceWithFile({ url: '"https://example.com/o/r/resolve/main/a.bin"' }));
  });

  it('is a file without a digest', () => {
    expectRow(sourceWithFile({ url: '«"https://example.com/a.bin"»' }), 'missing-digest');
  });

  it('is one digest for two files', () => {
    const other = sourceFile({ role: '"vae"', filename: '"b.bin"', sha256: `«"${DIGEST.toUpperCase()}"»` });
    const rows = expectRows(sourceWith({ files: `[${sourceFile({ sha256: `"${DIGEST}"` })}, ${other}]` }), [
      'digest-format'
    ]);
    expect(rows[0]?.message).toContain('lower case');
    const same = other.replace(DIGEST.toUpperCase(), DIGEST);
    const row = expectRow(
      sourceWith({ files: `[${sourceFile({ sha256: `"${DIGEST}"` })}, ${same}]` }),
      'repeated-digest'
    );
    expect(row.message).toContain('“a.bin”');
  });

  it('is a pickle file', () => {
    expectRow(sourceWithFile({ filename: '«"model.CKPT"»' }), 'pickle-file');
    expectSilence(sourceWithFile({ filename: '"model.ckpt.safetensors"' }));
  });

  it('is an approximate size beside an exact one', () => {
    expectRow(
      sourceWithFile({ size_bytes: '1000', '«approx_bytes»': '900' }).replace('"«', '«"').replace('»"', '"»'),
      'unnecessary-field'
    );
    expectRow(sourceWithFile({ size_bytes: '1000', approx_bytes: '«10»' }), 'size-mismatch');
  });

  it('is the name that another tool gives a field', () => {
    const row = expectRow(sourceWith({ defaults: '{ «"sampler"»: "euler" }' }), 'deprecated-field');
    expect(row.message).toContain('“sampling_method”');
  });
});

describe('a long list of files', () => {
  it('gets the same rows as a short one, and one for each mistake beside it', () => {
    const files = Array.from({ length: 1600 }, (_, index) =>
      sourceFile({ role: '"lora"', url: '"a"', filename: `"${index}.gguf"` })
    );
    for (const index of [0, 499, 500, 1599]) files[index] = sourceFile({ role: '"lora"', url: '"a"', filename: '«5»' });
    files[1000] = '«"a.bin"»';
    const text = sourceWith({ files: `[${files.join(',\n')}]`, defaults: '{ "width": «1» }' });
    expectRows(
      text,
      Array.from({ length: 6 }, () => 'schema')
    );
  });
});

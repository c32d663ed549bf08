import { applyEdits } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../server/manifest/diagnostics';
import type { TextReplacement } from '../../../server/manifest/fixes/edits';
import { certainFixes, fixesFor } from '../../../server/manifest/fixes/fixes';
import { FixesElsewhere } from '../../../server/manifest/fixes/fixes-elsewhere';
import type { Dialect } from '../../../server/manifest/recognition/dialect';
import { type ManifestDocument, parseManifestText } from '../../../server/manifest/text/document';
import { DIGEST, installedWith, sourceFile, sourceWith, sourceWithFile } from './marked';

function apply(text: string, edits: readonly TextReplacement[]): string {
  return applyEdits(
    text,
    edits.map(({ start, end, text: content }) => ({ offset: start, length: end - start, content }))
  );
}

function rowsOf(text: string, dialect: Dialect) {
  const rows = diagnose(parseManifestText(text), dialect, { reportSyntax: true });
  return rows.filter(({ severity }) => severity !== 'hint');
}

/** Applies the first fix of the only finding, checks that nothing is wrong then, and gives the text and the title. */
function mend(text: string, code: string, dialect: Dialect = 'source') {
  const rows = rowsOf(text, dialect);
  expect(rows.map((row) => row.code)).toEqual([code]);
  const [fix] = fixesFor(parseManifestText(text), dialect, rows[0]!);
  if (!fix) throw new Error(`there is no fix for ${code}`);
  const mended = apply(text, fix.edits);
  expect(rowsOf(mended, dialect)).toEqual([]);
  return { mended, value: JSON.parse(mended), ...fix };
}

describe('a fix', () => {
  it('spells a field as it was meant', () => {
    const { value, title, isCertain } = mend(sourceWith({ licence: '"MIT"' }), 'unknown-field');
    expect(value).toMatchObject({ license: 'MIT' });
    expect(title).toBe('Write “license”');
    expect(isCertain).toBe(true);
  });

  it('writes the name that a field has here', () => {
    expect(mend(sourceWithFile({ hash: `"${DIGEST}"` }), 'deprecated-field').value.files[0].sha256).toBe(DIGEST);
  });

  it('spells a role and a task as they were meant', () => {
    expect(mend(sourceWithFile({ role: '"checkpoint"' }), 'unknown-role').value.files[0].role).toBe('model');
    expect(mend(sourceWith({ task: '"in-paint"' }), 'unknown-value').value.task).toBe('inpaint');
  });

  it('writes the address of the file in the place of its page', () => {
    const url = `"https://huggingface.co/o/r/blob/${'a1'.repeat(20)}/a.bin"`;
    const { value } = mend(sourceWithFile({ url }), 'bad-url');
    expect(value.files[0].url).toBe(`https://huggingface.co/o/r/resolve/${'a1'.repeat(20)}/a.bin`);
  });

  it('mends white space and backslashes in an address', () => {
    expect(mend(sourceWithFile({ url: '" a.bin "' }), 'bad-url').value.files[0].url).toBe('a.bin');
    expect(mend(sourceWithFile({ url: '"w\\\\a.bin"' }), 'bad-url').value.files[0].url).toBe('w/a.bin');
    expect(mend(sourceWithFile({ url: '"https://h.example/a b"' }), 'bad-url').value.files[0].url).toBe(
      'https://h.example/a%20b'
    );
  });

  it('uses https, but never unasked', () => {
    const { value, isCertain } = mend(sourceWithFile({ url: '"http://example.com/a"' }), 'insecure-url');
    expect(value.files[0].url).toBe('https://example.com/a');
    expect(isCertain).toBe(false);
  });

  it('writes a digest as we write it', () => {
    const upper = mend(sourceWithFile({ sha256: `" ${DIGEST.toUpperCase()} "` }), 'digest-format');
    expect(upper.value.files[0].sha256).toBe(DIGEST);
    const prefixed = mend(sourceWithFile({ sha256: `"sha256:${DIGEST}"` }), 'bad-digest');
    expect(prefixed.value.files[0].sha256).toBe(DIGEST);
  });

  it('leaves a digest out that is none', () => {
    expect(
      mend(sourceWithFile({ sha256: `"${'0'.repeat(64)}"` }), 'placeholder-digest').value.files[0]
    ).not.toHaveProperty('sha256');
  });

  it('removes the key that does not count', () => {
    const { value } = mend(sourceWith({ license: '"a",\n"license": "b"' }), 'duplicate-key');
    expect(value.license).toBe('b');
  });

  it('removes an entry that is there twice', () => {
    const file = sourceFile({});
    const { value, isCertain } = mend(sourceWith({ files: `[${file}, ${file}]` }), 'duplicate-path');
    expect(value.files).toHaveLength(1);
    expect(isCertain).toBe(true);
  });

  it('gives the second of two files a name of its own', () => {
    const other = sourceFile({ role: '"vae"', url: '"https://example.com/b.bin"', filename: '"A.BIN"' });
    const { value, isCertain } = mend(sourceWith({ files: `[${sourceFile({})}, ${other}]` }), 'duplicate-path');
    expect(value.files[1].filename).toBe('A-2.BIN');
    expect(isCertain).toBe(false);
  });

  it.each([
    ['"../up/a.bin"', 'a.bin'],
    ['"a:b.bin"', 'a-b.bin'],
    ['".hidden.bin"', 'hidden.bin'],
    ['"con.bin"', '_con.bin'],
    ['"a.bin. "', 'a.bin']
  ])('finds a safe name for %s', (filename, safe) => {
    expect(mend(sourceWithFile({ filename }), 'unsafe-path').value.files[0].filename).toBe(safe);
  });

  it('finds a model name', () => {
    expect(mend(sourceWith({ name: '"My Model (ä)"' }), 'bad-name').value.name).toBe('My-Model-a');
  });

  it('recomputes the total of an installed manifest', () => {
    expect(mend(installedWith({ total_size_bytes: '8' }), 'size-mismatch', 'installed').value.total_size_bytes).toBe(7);
  });

  it('takes a secret out and keeps the rest of the address', () => {
    const field = mend(sourceWith({ hf_token: '"x"' }), 'secret');
    expect(field.mended).not.toContain('hf_token');
    const url = '"https://h.example/a?download=1&X-Amz-Signature=abc#part"';
    expect(mend(sourceWithFile({ url }), 'secret').value.files[0].url).toBe('https://h.example/a?download=1#part');
  });

  it('adds missing fields with what can be told of them', () => {
    const text = sourceWith({
      files: '[\n  {\n    "url": "https://example.com/t5xxl_q8.gguf"\n  }\n]',
      engine: '"sd-cpp"'
    });
    const rows = rowsOf(text, 'source');
    const [fix] = fixesFor(parseManifestText(text), 'source', rows[0]!);
    const mended = apply(text, fix!.edits);
    expect(rowsOf(mended, 'source')).toEqual([]);
    expect(JSON.parse(mended).files[0]).toEqual({
      url: 'https://example.com/t5xxl_q8.gguf',
      role: 't5xxl',
      filename: 't5xxl_q8.gguf'
    });
    expect(mended).toContain('\n    "filename": "t5xxl_q8.gguf"');
  });
});

describe('all fixes together', () => {
  it('mend what is certain and leave the rest', () => {
    const files = [
      sourceFile({ sha256: `"${DIGEST.toUpperCase()}"`, role: '"unet"' }),
      sourceFile({ role: '"vae"', filename: '"b.bin"', url: '"http://example.com/b"' })
    ];
    const text = sourceWith({ licence: '"MIT"', files: `[${files.join(',')}]` });
    const mended = apply(text, certainFixes(parseManifestText(text), 'source', rowsOf(text, 'source')));
    expect(rowsOf(mended, 'source').map(({ code }) => code)).toEqual(['insecure-url']);
  });

  it('look at each file a few times, however many findings there are', async () => {
    const files = Array.from({ length: 1000 }, (_, index) =>
      sourceFile({ role: '"lora"', url: `"hf:o/r@main/${index}.bin"`, filename: '"a.bin"' })
    );
    const parsed = parseManifestText(sourceWith({ files: `[${files.join(',')}]` }));
    let looks = 0;
    const document: ManifestDocument = {
      ...parsed,
      fieldsOf(node) {
        looks += 1;
        return parsed.fieldsOf(node);
      }
    };
    const rows = diagnose(parsed, 'source', { reportSyntax: true });
    const elsewhere = new FixesElsewhere(document, () => Promise.resolve([]));
    const unpinned = rows.filter(({ code }) => code === 'unpinned-revision');
    const offered = await Promise.all(unpinned.map((row) => elsewhere.of(row)));
    expect(offered.map((fixes) => fixes.length)).toEqual(unpinned.map(() => 4));
    expect(certainFixes(document, 'source', rows)).toEqual([]);
    expect(rows.length).toBeGreaterThanOrEqual(1999);
    expect(looks).toBeLessThan(20 * files.length);
  });

  it('change nothing behind a syntax error', () => {
    const text = `{ "name": "m" "licence": "MIT", "files": [${sourceFile({})}] }`;
    expect(certainFixes(parseManifestText(text), 'source', rowsOf(text, 'source'))).toEqual([]);
  });
});

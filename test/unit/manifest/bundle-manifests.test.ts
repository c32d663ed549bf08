import { describe, expect, it } from 'vitest';
import { DIGEST, expectRow, expectRows, expectSilence, installedFile, installedWith } from './marked';

describe('an installed manifest', () => {
  it('gets no row when it is right, sorted or not', () => {
    expectSilence(installedWith({}), 'installed');
    const files = [installedFile({ path: '"b/c.bin"' }), installedFile({ path: '"a.bin"' })];
    expectSilence(installedWith({ files: `[${files.join()}]`, total_size_bytes: '14' }), 'installed');
  });

  it('gives one row for a total that is not the sum', () => {
    const row = expectRow(installedWith({ total_size_bytes: '«8»' }), 'size-mismatch', 'installed');
    expect(row.message).toContain('7 bytes together, not 8');
  });

  it('does not judge the total while a size is wrong', () => {
    const files = `[${installedFile({ size_bytes: '«-1»' })}]`;
    expectRow(installedWith({ files }), 'schema', 'installed');
  });

  it.each(['../x', 'a/../x', '/x', 'a//b', 'a/nul', 'manifest.json', 'C:/x'])(
    'gives one row for the path %s',
    (path) => {
      expectRow(installedWith({ files: `[${installedFile({ path: `«"${path}"»` })}]` }), 'unsafe-path', 'installed');
    }
  );

  it('gives one row for a file that is also a folder, in either order', () => {
    const file = installedFile({ path: '"A"' });
    const inside = installedFile({ path: '«"a/b"»' });
    expectRow(installedWith({ files: `[${file}, ${inside}]`, total_size_bytes: '14' }), 'duplicate-path', 'installed');
    expectRow(installedWith({ files: `[${inside}, ${file}]`, total_size_bytes: '14' }), 'duplicate-path', 'installed');
  });

  it('gives one row for all missing fields', () => {
    expectRow(`«{»"name": "tiny", "files": []}`, 'schema', 'installed');
  });
});

describe('an artifact manifest', () => {
  it('gets no row when it is right', () => {
    expectSilence(`{ "files": [{ "name": "a/b.bin", "sha256": "${DIGEST}" }] }`, 'artifact');
  });

  it('gives one row for each mistake', () => {
    const text = `{ "files": [{ "name": «"../b"», "sha256": «"12"» }, «{» "name": "c" }] }`;
    expectRows(text, ['unsafe-path', 'bad-digest', 'schema'], 'artifact');
  });
});

import { describe, expect, it } from 'vitest';
import { bundlePathProblem, collisionKey, fileNameProblem } from '../../../shared/file-name';

describe('a file name', () => {
  it.each([
    'model.safetensors',
    'a b.bin',
    'ünï-コード.gguf',
    'console.bin',
    'com10.bin',
    '-x',
    'é'.repeat(127),
    '😀.bin'
  ])('%s is safe everywhere', (name) => {
    expect(fileNameProblem(name)).toBeUndefined();
  });

  it.each([
    ['', 'empty'],
    ['../x', 'path'],
    ['a/../../x', 'path'],
    ['..\\x', 'path'],
    ['..', 'path'],
    ['/x', 'path'],
    ['C:\\x', 'path'],
    ['C:x', 'character'],
    ['\\\\s\\h\\x', 'path'],
    ['a:b', 'character'],
    ['CON', 'reserved'],
    ['nul.txt', 'reserved'],
    ['NUL .txt', 'reserved'],
    ['COM¹', 'reserved'],
    ['COM¹.txt', 'reserved'],
    ['lpt² .bin', 'reserved'],
    ['CONIN$', 'reserved'],
    ['staging/x', 'path'],
    ['manife\u017ft.json', 'reserved'],
    ['a\ufeffb', 'character'],
    ['a\u2028b', 'character'],
    ['lpt9.tar.gz', 'reserved'],
    ['a.', 'trailing'],
    ['a ', 'trailing'],
    ['a\0', 'character'],
    ['a\nb', 'character'],
    ['a\u202egpj.exe', 'character'],
    ['a\u200bb', 'character'],
    ['a\u00adb', 'character'],
    ['a\u{e0041}b', 'character'],
    ['a\ud800', 'character'],
    ['.hidden', 'hidden'],
    ['manifest.json', 'reserved'],
    ['Manifest.JSON', 'reserved'],
    ['x'.repeat(256), 'long'],
    ['é'.repeat(128), 'long']
  ])('%j is refused', (name, kind) => {
    expect(fileNameProblem(name)?.kind).toBe(kind);
  });
});

describe('a path in a bundle', () => {
  it('is a chain of safe file names', () => {
    expect(bundlePathProblem('unet/a b/model.bin')).toBeUndefined();
  });

  it.each(['a/../b', '/a', 'a//b', 'a/', 'a/manifest.json', 'a/nul', 'a\\b', '.cache/a'])('is not %s', (path) => {
    expect(bundlePathProblem(path)).toBeDefined();
  });
});

describe('two names', () => {
  it.each([
    ['M.bin', 'm.bin'],
    ['caf\u00e9', 'cafe\u0301'],
    ['\u212a.bin', 'k.bin'],
    ['ς', 'Σ'],
    ['ς', 'σ']
  ])('%s and %s would be one file', (one, other) => {
    expect(collisionKey(one)).toBe(collisionKey(other));
  });

  it.each([
    ['a.bin', 'b.bin'],
    ['é', 'e'],
    ['1', '1.']
  ])('%s and %s are two files', (one, other) => {
    expect(collisionKey(one)).not.toBe(collisionKey(other));
  });
});

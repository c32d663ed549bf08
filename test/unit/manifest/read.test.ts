import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readInstalledManifest, readSourceManifest } from '../../../server/manifest/read';
import { DIGEST, installedWith, sourceWith, sourceWithFile } from './marked';

const samples = new URL('../../../samples/workspace/', import.meta.url);

describe('reading a manifest', () => {
  it.each(readdirSync(samples))('takes the sample %s', (sample) => {
    const text = readFileSync(new URL(`${sample}/manifest.json`, samples), 'utf8');
    expect(readSourceManifest(text)).toEqual({ ok: true, manifest: JSON.parse(text) });
  });

  it('hands digests on in lower case without white space, and keeps fields of other tools', () => {
    const reading = readSourceManifest(sourceWithFile({ sha256: `" ${DIGEST.toUpperCase()}\\n"`, note: '{ "a": 1 }' }));
    expect(reading).toMatchObject({ ok: true, manifest: { files: [{ sha256: DIGEST, note: { a: 1 } }] } });
    const files = `[{ "path": "a.bin", "sha256": "${DIGEST.toUpperCase()}", "size_bytes": 7 }]`;
    expect(readInstalledManifest(installedWith({ files }))).toMatchObject({
      manifest: { files: [{ sha256: DIGEST }] }
    });
  });

  it('goes on in spite of warnings and hints', () => {
    expect(readSourceManifest(sourceWithFile({ url: '"http://example.com/a"', sha2556: '1' })).ok).toBe(true);
  });

  it('fails with the errors alone, in document order', () => {
    const text = sourceWithFile({ role: '"vea"', url: '"http://example.com/a"', filename: '"../a"' });
    const reading = readSourceManifest(text);
    expect(reading.ok ? [] : reading.problems.map(({ code }) => code)).toEqual(['unknown-role', 'unsafe-path']);
  });

  it.each([
    ['a text that ends too early', sourceWith({}).slice(0, 40), 'syntax'],
    ['an empty file', '', 'syntax'],
    ['a key written twice', sourceWithFile({ role: '"vae", "role": "vae"' }), 'duplicate-key'],
    ['a misspelled required field', sourceWithFile({ filename: undefined, filenme: '"a"' }), 'unknown-field'],
    ['a placeholder digest', sourceWithFile({ sha256: `"${'0'.repeat(64)}"` }), 'placeholder-digest'],
    ['a secret', sourceWithFile({ url: '"https://h/a?sig=CANARY"' }), 'secret'],
    ['a newer format', '{ "$schema": "diffusion-dock.source.v2.schema.json" }', 'newer-format']
  ])('fails for %s', (_, text, code) => {
    expect(readSourceManifest(text)).toMatchObject({ ok: false, problems: [{ code }] });
  });

  it('does not take a manifest of one dialect for another', () => {
    expect(readInstalledManifest(sourceWith({})).ok).toBe(false);
    expect(readSourceManifest(installedWith({})).ok).toBe(false);
  });
});

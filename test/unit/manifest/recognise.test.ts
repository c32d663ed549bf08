import { describe, expect, it } from 'vitest';
import { type DocumentContext, recognise } from '../../../server/manifest/recognition/recognise';
import { parseManifestText } from '../../../server/manifest/text/document';
import { mayBeModelManifest } from '../../../shared/manifest/candidate';
import { DIGEST, installedWith, sourceFile, sourceWith, sourceWithFile } from './marked';

/** Documents of others that are called `manifest.json`, or that a wide `include` may catch. */
const FOREIGN: Readonly<Record<string, unknown>> = {
  'a web app': {
    name: 'App',
    short_name: 'App',
    start_url: '/',
    display: 'standalone',
    icons: [{ src: 'a.png', sizes: '192x192' }]
  },
  'a web app with file handlers': { name: 'App', start_url: '.', file_handlers: [{ action: '/', accept: {} }] },
  'a browser extension': { manifest_version: 3, name: 'Ext', version: '1.0', background: { service_worker: 'sw.js' } },
  'a browser extension with files': {
    manifest_version: 3,
    name: 'Ext',
    version: '1',
    files: [{ role: 'script', filename: 'a.js', sha256: DIGEST }]
  },
  'a browser theme': { manifest_version: 3, name: 'Theme', version: '1', theme: { colors: { frame: [0, 0, 0] } } },
  'a package': { name: 'pkg', version: '1.0.0', files: ['dist'], dependencies: {} },
  'a package lock': { name: 'pkg', lockfileVersion: 3, packages: {} },
  'an editor extension': { name: 'ext', engines: { vscode: '^1.100.0' }, contributes: {}, files: ['dist'] },
  'an asset map': { 'main.js': 'main.123.js', 'main.css': 'main.123.css' },
  'an asset manifest': { files: { 'main.js': '/static/main.js' }, entrypoints: ['static/main.js'] },
  'an asset list with digests': { name: 'game', files: [{ path: 'a.png', sha256: DIGEST, size: 5 }] },
  'an asset list with sizes like ours': { files: [{ path: 'a.png', sha256: DIGEST, size_bytes: 5 }] },
  'an asset list with addresses': { name: 'x', files: [{ filename: 'a.png', url: 'https://h/a.png', sha256: DIGEST }] },
  'a list of names and digests': { files: [{ name: 'a.png', sha256: DIGEST }] },
  'a bundler manifest': { 'src/main.ts': { file: 'assets/main.js', src: 'src/main.ts', isEntry: true } },
  'a container image': { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', layers: [] },
  'a pipeline': { _class_name: 'FluxPipeline', vae: ['diffusers', 'AutoencoderKL'] },
  'a document with another schema': { $schema: 'https://json.schemastore.org/web-manifest.json', name: 'x' },
  'an empty object': {},
  'a list': [1, 2],
  'a text': 'x'
};

const somewhere: DocumentContext = {
  path: 'file:///work/manifest.json',
  liesInCacheRoot: false,
  matchesInclude: false,
  previous: undefined
};

function recogniseText(text: string, context: Partial<DocumentContext> = {}) {
  return recognise(parseManifestText(text), { ...somewhere, ...context });
}

describe('a document of somebody else', () => {
  it.each(Object.entries(FOREIGN))('is left alone: %s', (_, value) => {
    expect(recogniseText(JSON.stringify(value, null, 2))).toBeUndefined();
  });

  it.each(['a web app', 'a browser extension with files', 'a package', 'an asset manifest', 'a pipeline'])(
    'is left alone even if the settings include it: %s',
    (name) => {
      expect(
        recogniseText(JSON.stringify(FOREIGN[name]), { matchesInclude: true, previous: 'source' })
      ).toBeUndefined();
    }
  );

  it('is left alone while it is broken', () => {
    expect(recogniseText('{ "name": "App", "icons": [')).toBeUndefined();
    expect(recogniseText('')).toBeUndefined();
    expect(recogniseText('['.repeat(100_000))).toBeUndefined();
    expect(recogniseText('x'.repeat(9_000_000))).toBeUndefined();
  });
});

describe('a model manifest', () => {
  it.each([
    ['source', 'https://example.com/schemas/diffusion-dock.source.schema.json'],
    ['installed', './diffusion-dock.installed.schema.json'],
    ['artifact', 'diffusion-dock.artifact.schema.json#'],
    ['source', 'diffusion-dock.source.v7.schema.json']
  ])('is of the dialect %s when its schema is %s', (dialect, $schema) => {
    const text = JSON.stringify({ $schema, icons: [] });
    expect(recogniseText(text)).toBe(dialect);
    expect(mayBeModelManifest(text)).toBe(true);
  });

  it('is known by one good entry, so that the others can be judged', () => {
    expect(recogniseText(sourceWith({ files: `[{ "rol": 1 }, 5, ${sourceFile({})}]` }))).toBe('source');
    expect(recogniseText(installedWith({}))).toBe('installed');
  });

  it('is known although its only entry lacks a field', () => {
    expect(recogniseText(sourceWithFile({ filename: undefined }))).toBe('source');
    expect(recogniseText(sourceWithFile({ role: undefined, rol: '"vae"' }))).toBeUndefined();
    expect(recogniseText(sourceWithFile({ role: undefined }).replace('{', '{ "engine": "sd-cpp",'))).toBe('source');
  });

  it('is known from what could be read of a broken or far too large text', () => {
    expect(recogniseText(sourceWith({}).slice(0, -3))).toBe('source');
    expect(recogniseText(sourceWith({ note: `"${'x'.repeat(9_000_000)}"` }))).toBe('source');
    expect(recogniseText(sourceWith({ note: '['.repeat(100_000) }))).toBe('source');
  });

  it('stays one while it is being edited', () => {
    expect(recogniseText('{ "name": "tiny", "fils": [] }', { previous: 'source' })).toBe('source');
    expect(recogniseText('', { previous: 'installed' })).toBe('installed');
  });

  it('is whatever is called manifest.json in the cache root', () => {
    const liesInCacheRoot = true;
    expect(recogniseText('{}', { path: '/cache/models/tiny/manifest.json', liesInCacheRoot })).toBe('installed');
    expect(recogniseText('{}', { path: '/cache/fetched/ab12/manifest.json', liesInCacheRoot })).toBe('artifact');
    expect(recogniseText('{}', { path: '/cache/registry/1.json', liesInCacheRoot })).toBeUndefined();
  });

  it('is what the settings include', () => {
    expect(recogniseText('{ "name": ', { matchesInclude: true })).toBe('source');
    expect(recogniseText(JSON.stringify(FOREIGN['a list of names and digests']), { matchesInclude: true })).toBe(
      'artifact'
    );
  });
});

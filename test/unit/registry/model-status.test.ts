import { describe, expect, it } from 'vitest';
import { modelFiles, modelStatus } from '../../../server/registry/model-status';
import type { BundleState } from '../../../server/store/bundle-state';
import { installedManifest } from '../../../shared/manifest/installed-manifest';
import { type SourceManifest, sourceManifest } from '../../../shared/manifest/source-manifest';
import { digestOf } from '../../support/sample-bundle';

const A = digestOf(Buffer.from('a'));
const B = digestOf(Buffer.from('b'));

type WantedFile = Partial<SourceManifest['files'][number]>;

function wanted(...files: readonly WantedFile[]): SourceManifest {
  const url = 'https://example.org/a';
  return { name: 'flux', files: files.map((file) => ({ role: 'model', url, filename: 'a.gguf', ...file })) };
}

function installed(files: readonly Record<string, unknown>[], problems: readonly string[] = []): BundleState {
  const manifest = installedManifest.parse({
    name: 'flux',
    source: '',
    revision: '',
    task: '',
    engine: '',
    dimensions: 0,
    installed_at_unix_ms: 0,
    total_size_bytes: 0,
    files: files.map((file) => ({ path: 'a.gguf', sha256: A, size_bytes: 1, ...file }))
  });
  const states = manifest.files.map((file) => ({ file, problem: undefined }));
  return { kind: 'present', manifest, files: states, extras: [], problems };
}

/** As a manifest spells it; the schema is what reads it. */
function wantedWithDigest(sha256: string): SourceManifest {
  const { name, files } = wanted({});
  return sourceManifest.parse({ name, files: files.map((file) => ({ ...file, sha256 })) });
}

const again = 'pull the model again.';

describe('a model’s status', () => {
  it.each<[string, SourceManifest, BundleState, boolean, string, string | undefined]>([
    ['registered: nothing is there', wanted({}), { kind: 'absent' }, false, 'registered', undefined],
    [
      'missing: what was installed is gone',
      wanted({}),
      { kind: 'absent' },
      true,
      'missing',
      'The installed files are gone; pull the model again.'
    ],
    [
      'unhealthy: nothing can be read',
      wanted({}),
      { kind: 'unreadable', problem: 'Why.', why: 'damaged' },
      true,
      'unhealthy',
      'Why.'
    ],
    [
      'unhealthy even if never stamped',
      wanted({}),
      { kind: 'unreadable', problem: 'Why.', why: 'damaged' },
      false,
      'unhealthy',
      'Why.'
    ],
    ['unhealthy: the first problem', wanted({}), installed([{}], ['One.', 'Two.']), true, 'unhealthy', 'One.'],
    [
      'unhealthy rather than outdated',
      wanted({ filename: 'b.gguf' }),
      installed([{}], ['One.']),
      true,
      'unhealthy',
      'One.'
    ],
    ['installed', wanted({}), installed([{}]), true, 'installed', undefined],
    ['installed though never stamped', wanted({}), installed([{}]), false, 'installed', undefined],
    [
      'installed: digest and size are right',
      wanted({ sha256: A, size_bytes: 1 }),
      installed([{}]),
      true,
      'installed',
      undefined
    ],
    [
      'installed: the digest is only spelt otherwise',
      wantedWithDigest(` ${A.toUpperCase()} `),
      installed([{}]),
      true,
      'installed',
      undefined
    ],
    [
      'installed: the name is only spelt otherwise',
      wanted({ filename: 'A.GGUF' }),
      installed([{}]),
      true,
      'installed',
      undefined
    ],
    [
      'installed: an approximate size promises nothing',
      wanted({ approx_bytes: 9 }),
      installed([{}]),
      true,
      'installed',
      undefined
    ],
    [
      'installed: the role was not written down',
      wanted({ role: 'vae' }),
      installed([{}]),
      true,
      'installed',
      undefined
    ],
    [
      'outdated: another digest',
      wanted({ sha256: B }),
      installed([{}]),
      true,
      'outdated',
      `The manifest asks for another content of a.gguf; ${again}`
    ],
    [
      'outdated: another size',
      wanted({ size_bytes: 2 }),
      installed([{}]),
      true,
      'outdated',
      `The manifest asks for another content of a.gguf; ${again}`
    ],
    [
      'outdated: another role',
      wanted({ role: 'vae' }),
      installed([{ role: 'model' }]),
      true,
      'outdated',
      `The role of a.gguf changed; ${again}`
    ],
    [
      'outdated: one more file',
      wanted({}, { filename: 'b.gguf' }),
      installed([{}]),
      true,
      'outdated',
      `The manifest also lists b.gguf; ${again}`
    ],
    [
      'outdated: one file less',
      wanted({}),
      installed([{}, { path: 'b.gguf' }]),
      true,
      'outdated',
      `The manifest no longer lists b.gguf; ${again}`
    ],
    [
      'outdated: another file',
      wanted({ filename: 'b.gguf' }),
      installed([{}]),
      true,
      'outdated',
      `The manifest also lists b.gguf; ${again}`
    ]
  ])('is %s', (_, manifest, bundle, stamped, status, reason) => {
    expect(modelStatus(manifest, bundle, stamped)).toEqual(reason === undefined ? { status } : { status, reason });
  });
});

describe('a model’s files', () => {
  it('are those of the manifest, in its order, with what is known of their sizes', () => {
    const manifest = wanted({ filename: 'b', size_bytes: 2 }, { filename: 'a', approx_bytes: 3 }, { filename: 'c' });
    expect(modelFiles(manifest, { kind: 'absent' })).toEqual([
      { path: 'b', role: 'model', present: false, bytes: 2 },
      { path: 'a', role: 'model', present: false, bytes: 3 },
      { path: 'c', role: 'model', present: false }
    ]);
  });

  it('have the size that was measured once they are installed', () => {
    expect(modelFiles(wanted({ approx_bytes: 9 }), installed([{ size_bytes: 4 }]))).toEqual([
      { path: 'a.gguf', role: 'model', present: true, bytes: 4 }
    ]);
  });

  it('are present whatever the case of their names', () => {
    expect(modelFiles(wanted({ filename: 'A.gguf' }), installed([{}]))).toMatchObject([
      { path: 'A.gguf', present: true }
    ]);
  });

  it('are not present when something is wrong with them', () => {
    const bundle = installed([{}]);
    if (bundle.kind !== 'present') throw new Error('present');
    const broken = { ...bundle, files: bundle.files.map((state) => ({ ...state, problem: 'is missing' })) };
    expect(modelFiles(wanted({}), broken)).toMatchObject([{ present: false }]);
    expect(modelFiles(wanted({}), { kind: 'unreadable', problem: 'Why.', why: 'damaged' })).toMatchObject([
      { present: false }
    ]);
  });
});

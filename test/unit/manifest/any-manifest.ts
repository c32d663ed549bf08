import * as fc from 'fast-check';
import type { Dialect } from '../../../server/manifest/recognition/dialect';
import { ROLES } from '../../../shared/roles';
import { DIGEST } from './marked';

/** Right manifests with all their fields, by dialect. */
export const RIGHT_MANIFESTS: Readonly<Record<Dialect, object>> = {
  source: {
    $schema: 'diffusion-dock.source.schema.json',
    name: 'flux-schnell_q4.1',
    source: 'somewhere',
    revision: 'v1',
    task: 'text-to-image',
    engine: 'sd-cpp',
    license: 'MIT',
    credential_alias: 'my-hub',
    files: [
      {
        role: 'model',
        url: 'hf:owner/repo@main/a%20b/c.gguf',
        filename: 'c.gguf',
        sha256: DIGEST,
        size_bytes: 9,
        approx_bytes: 10,
        pieces: { size: 9, sha256: [DIGEST] }
      },
      { role: 'vae', url: 'https://example.com:8443/v.gguf?x=1', filename: 'v é.gguf' }
    ],
    defaults: {
      width: 512,
      height: 64,
      steps: 20,
      cfg_scale: 7.5,
      guidance: 3,
      sampling_method: 'euler',
      clip_skip: -1
    }
  },
  installed: {
    name: 'tiny',
    source: '',
    revision: '',
    task: '',
    engine: 'sd-cpp',
    dimensions: 0,
    installed_at_unix_ms: 1_767_225_600_000,
    total_size_bytes: 7,
    files: [{ path: 'a/b.gguf', sha256: DIGEST, size_bytes: 7, role: 'model', digest_origin: 'observed' }],
    defaults: { scheduler: 'karras', negative_prompt: '', flow_shift: 1.5 },
    license: ''
  },
  artifact: { $schema: 'x', files: [{ name: 'a/b.gguf', sha256: DIGEST, size_bytes: 7 }] }
};

/** Right and almost right texts of every rule: what is right in one field is mostly wrong in another. */
const TEXTS = [
  'nul',
  'NUL.txt',
  'com¹.bin',
  'conin$',
  'console',
  '.hidden',
  'a.',
  'a ',
  'a..b',
  '..',
  'manifest.json',
  'Manifest.JSON',
  'manifest.json.gguf',
  '\uff4danifest.json',
  'é'.repeat(127),
  'é'.repeat(128),
  'x'.repeat(255),
  'x'.repeat(256),
  'x'.repeat(128),
  'x'.repeat(129),
  'a/b/c',
  'a//b',
  '/a',
  'a/.b',
  'a/nul/b',
  'a:b',
  '~/a',
  '../a.gguf',
  './a/../b.gguf',
  'a b/c d.gguf',
  'HTTPS://h/x',
  'http://169.254.1.1/x',
  'https://user:password@h/x',
  'https://',
  'https://h:99999/x',
  'https://huggingface.co/o/r/blob/main/a.bin',
  'hf:o/r/a',
  'hf:o/r',
  'hf:o--o/r/a',
  'hf:datasets/r/a',
  'hf:o/r@refs%2Fpr%2F1/a',
  'hf:o/r@/a',
  'hf:o/r/%2e%2e/a',
  'hf:o/r/a%2Fb',
  'hf:o/r/a%zz',
  'file:///a/b',
  'file:/a',
  'file://localhost/a',
  'file://host/a',
  'file:///a/../b',
  'file:///C:/a',
  'file:///a/',
  's3://bucket/a/b',
  's3://b/a',
  'r2://bucket-1/../a',
  'S3://bucket/a?b#c',
  'ftp://h/x',
  'C:/a',
  DIGEST.toUpperCase(),
  ` ${DIGEST}\n`,
  DIGEST.slice(1),
  `${DIGEST}0`,
  'sha256:79cb',
  '0'.repeat(64),
  'aA'.repeat(32),
  'Bb'.repeat(32),
  'My Token',
  'inpaint',
  'declared',
  ...ROLES
];

const SCRAPS = [
  ...Array.from('./\\:@%?# ~-_$A0é😀'),
  '\0',
  '\n',
  '\u202e',
  '\ud800',
  '\u2028',
  '\ufeff',
  '\u00a0',
  '--',
  '..',
  '%2F',
  '%2e'
];

const nearMissText = fc
  .tuple(fc.constantFrom(...TEXTS), fc.nat(), fc.constantFrom('', ...SCRAPS), fc.integer({ min: 0, max: 1 }))
  .map(([text, at, scrap, removed]) => {
    const start = at % (text.length + 1);
    return text.slice(0, start) + scrap + text.slice(start + removed);
  });

const anyText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 4, arbitrary: nearMissText },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) }
);

const anyNumber = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    -2,
    24,
    25,
    63,
    64,
    8192,
    8193,
    100,
    100.5,
    1000,
    1001,
    0.5,
    2 ** 53 - 1,
    2 ** 53,
    1e300,
    Infinity
  ),
  fc.integer()
);

const anyValue = fc.oneof(
  { weight: 3, arbitrary: anyText },
  { weight: 2, arbitrary: anyNumber },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, true, [], {}, [null], { size: 1 }) }
);

/** One change anywhere in a value: `at` chooses the place, `value` replaces what is there, or is added, or it goes. */
interface Change {
  readonly at: number;
  readonly kind: 'replace' | 'keep-type' | 'remove' | 'add';
  readonly value: unknown;
  readonly text: string;
}

const anyChange: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('replace', 'keep-type', 'keep-type', 'keep-type', 'remove', 'add'),
  value: anyValue,
  text: anyText
});

/** Manifests of a dialect that are right, almost right, or wrong in a few places. */
export function anyManifest(dialect: Dialect): fc.Arbitrary<unknown> {
  return fc.array(anyChange, { maxLength: 3 }).map((changes) => {
    const manifest: unknown = structuredClone(RIGHT_MANIFESTS[dialect]);
    for (const change of changes) apply(manifest, change);
    return manifest;
  });
}

function apply(manifest: unknown, { at, kind, value, text }: Change): void {
  const places = placesIn(manifest);
  const place = places[at % places.length];
  if (!place) return;
  const { container, key } = place;
  if (kind === 'add') container[Array.isArray(container) ? String(container.length) : `more${at % 3}`] = value;
  else if (kind === 'keep-type' && typeof container[key] === 'string') container[key] = text;
  else if (kind !== 'remove') container[key] = value;
  else if (Array.isArray(container)) container.splice(Number(key), 1);
  else delete container[key];
}

interface Place {
  readonly container: Record<string, unknown>;
  readonly key: string;
}

function placesIn(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const container = value as Record<string, unknown>;
  return Object.keys(container).flatMap((key) => [{ container, key }, ...placesIn(container[key])]);
}

import { diagnose } from '../../../server/manifest/diagnostics';
import type { Dialect } from '../../../server/manifest/recognition/dialect';
import { duplicateName, type Namesakes } from '../../../server/manifest/rules/duplicate-name';
import { differencesFromDisk, type FileOnDisk, type SourceChange } from '../../../server/manifest/rules/on-disk';
import { differencesFromHub, type FileOnHub } from '../../../server/manifest/rules/on-hub';
import { contradictionsOfWeights } from '../../../server/manifest/rules/weights';
import { parseManifestText } from '../../../server/manifest/text/document';
import type { WeightsDescription } from '../../../server/weights/describe';
import type { DiagnosticCode } from '../../../shared/manifest/diagnostic-codes';
import { MOST_FILES } from '../../../shared/manifest/source-manifest';
import { DIGEST, installedFile, installedWith, sourceFile, sourceWith, sourceWithFile } from './marked';

/** Something that has findings. */
export interface Specimen {
  readonly dialect: Dialect;
  readonly text: string;
  /** The codes of what is found there. */
  readonly codes: () => Promise<readonly DiagnosticCode[]>;
}

/** What a code stands for, and what only looks like it. */
export interface CodeFixture {
  readonly wrong: Specimen;
  readonly nearMiss: Specimen;
}

function inText(text: string, dialect: Dialect = 'source'): Specimen {
  const rows = () => diagnose(parseManifestText(text), dialect, { reportSyntax: true });
  return { dialect, text, codes: () => Promise.resolve(rows().map(({ code }) => code)) };
}

function among(namesakes: Namesakes | undefined): Specimen {
  const text = sourceWith({});
  const row = duplicateName(parseManifestText(text), namesakes);
  return { dialect: 'source', text, codes: () => Promise.resolve(row ? [row.code] : []) };
}

function onDisk(found: FileOnDisk, others: readonly string[] = [], change?: SourceChange): Specimen {
  const text = installedWith({});
  const folder = {
    look: () => Promise.resolve(found),
    files: () => Promise.resolve(['a.bin', ...others]),
    change: () => Promise.resolve(change)
  };
  const rows = differencesFromDisk(parseManifestText(text), 'installed', folder);
  return { dialect: 'installed', text, codes: async () => (await rows).map(({ code }) => code) };
}

function onHub(found: FileOnHub): Specimen {
  const text = sourceWithFile({ url: '"hf:o/r@main/a.bin"', size_bytes: '7' });
  const rows = differencesFromHub(parseManifestText(text), () => Promise.resolve(found));
  return { dialect: 'source', text, codes: async () => (await rows).map(({ code }) => code) };
}

function withHeader(
  role: string,
  family: 'flux' | 'sd1',
  component: 'diffusion_model' | 'vae',
  defaults = '{}'
): Specimen {
  const figures = { parameters: 100, bytes: 100, memoryBytes: 100 };
  const parts = [{ component, family, ...figures, isPrefixed: false }];
  const description: WeightsDescription = { format: 'gguf', component, family, ...figures, types: [], parts };
  const text = sourceWith({ files: `[${sourceFile({ role: `"${role}"`, sha256: `"${DIGEST}"` })}]`, defaults });
  const rows = contradictionsOfWeights(parseManifestText(text), new Map([['a.bin', { sha256: DIGEST, description }]]));
  return { dialect: 'source', text, codes: () => Promise.resolve(rows.map(({ code }) => code)) };
}

const sound: FileOnDisk = { kind: 'file', bytes: 7, digest: DIGEST };
const other = { url: '"https://example.com/b.bin"', filename: '"b.bin"' };
const two = (first: Parameters<typeof sourceFile>[0], second: Parameters<typeof sourceFile>[0]): string =>
  sourceWith({ files: `[${sourceFile(first)}, ${sourceFile(second)}]` });
const entries = (count: number): string => `[${Array.from({ length: count }, () => '{}').join()}]`;
const nested = (depth: number): string => sourceWith({ note: '['.repeat(depth - 1) + ']'.repeat(depth - 1) });

/** One for every code. */
export const CODE_FIXTURES: Readonly<Record<DiagnosticCode, CodeFixture>> = {
  syntax: { wrong: inText(sourceWith({}).slice(0, -1)), nearMiss: inText(`\ufeff${sourceWith({})}\n`) },
  'too-large': {
    wrong: inText(sourceWith({ note: `[${'1,'.repeat(300_000)}1]` })),
    nearMiss: inText(sourceWith({ note: `"${'1,'.repeat(300_000)}1"` }))
  },
  'too-deep': { wrong: inText(nested(65)), nearMiss: inText(nested(64)) },
  'too-many-files': {
    wrong: inText(sourceWith({ files: entries(MOST_FILES + 1) })),
    nearMiss: inText(sourceWith({ files: entries(MOST_FILES) }))
  },
  'newer-format': {
    wrong: inText(sourceWith({ $schema: '"diffusion-dock.source.v2.schema.json"' })),
    nearMiss: inText(sourceWith({ $schema: '"diffusion-dock.source.v1.schema.json"' }))
  },
  'duplicate-key': {
    wrong: inText(sourceWith({ license: '"a", "license": "b"' })),
    nearMiss: inText(sourceWith({ license: '"a", "License": "b"' }))
  },
  'inexact-number': {
    wrong: inText(sourceWithFile({ size_bytes: '9007199254740993' })),
    nearMiss: inText(sourceWithFile({ size_bytes: '9007199254740991' }))
  },
  schema: { wrong: inText(sourceWith({ license: '5' })), nearMiss: inText(sourceWith({ licence_number: '5' })) },
  'unknown-field': {
    wrong: inText(sourceWith({ licence: '"MIT"' })),
    nearMiss: inText(sourceWith({ $licence: '"MIT"' }))
  },
  'deprecated-field': {
    wrong: inText(sourceWith({ defaults: '{ "sampler": "euler" }' })),
    nearMiss: inText(sourceWith({ sampler: '"euler"' }))
  },
  'unnecessary-field': {
    wrong: inText(sourceWithFile({ size_bytes: '1000', approx_bytes: '990' })),
    nearMiss: inText(sourceWithFile({ approx_bytes: '990' }))
  },
  'unknown-role': {
    wrong: inText(sourceWithFile({ role: '"unet"' })),
    nearMiss: inText(sourceWithFile({ role: '"diffusion_model"' }))
  },
  'duplicate-role': {
    wrong: inText(two({ role: '"vae"' }, { ...other, role: '"vae"' })),
    nearMiss: inText(two({ role: '"lora"' }, { ...other, role: '"lora"' }))
  },
  'missing-role': {
    wrong: inText(sourceWith({ task: '"upscale"' })),
    nearMiss: inText(sourceWith({ task: '"inpaint"' }))
  },
  'wrong-role': {
    wrong: withHeader('clip_l', 'sd1', 'vae'),
    nearMiss: withHeader('vae', 'sd1', 'vae')
  },
  'incomplete-model': {
    wrong: withHeader('diffusion_model', 'flux', 'diffusion_model'),
    nearMiss: withHeader('vae', 'flux', 'vae')
  },
  'unfit-default': {
    wrong: withHeader('model', 'sd1', 'diffusion_model', '{ "width": 500 }'),
    nearMiss: withHeader('model', 'sd1', 'diffusion_model', '{ "width": 576 }')
  },
  'unknown-value': {
    wrong: inText(sourceWith({ task: '"txt2img"' })),
    nearMiss: inText(sourceWith({ source: '"txt2img"' }))
  },
  'bad-name': { wrong: inText(sourceWith({ name: '"a b"' })), nearMiss: inText(sourceWith({ name: '"a_b.c-1"' })) },
  'duplicate-name': { wrong: among({ count: 1, first: 'other/manifest.json' }), nearMiss: among(undefined) },
  'unsafe-path': {
    wrong: inText(sourceWithFile({ filename: '"nul.txt"' })),
    nearMiss: inText(sourceWithFile({ filename: '"null.txt"' }))
  },
  'duplicate-path': {
    wrong: inText(two({}, { role: '"vae"', filename: '"A.bin"' })),
    nearMiss: inText(two({}, { role: '"vae"', filename: '"b.bin"' }))
  },
  'bad-digest': {
    wrong: inText(sourceWithFile({ sha256: `"sha256:${DIGEST}"` })),
    nearMiss: inText(sourceWithFile({ sha256: `" ${DIGEST} "` }))
  },
  'placeholder-digest': {
    wrong: inText(sourceWithFile({ sha256: `"${'0'.repeat(64)}"` })),
    nearMiss: inText(sourceWithFile({ sha256: `"1${'0'.repeat(63)}"` }))
  },
  'digest-format': {
    wrong: inText(sourceWithFile({ sha256: `"${DIGEST.toUpperCase()}"` })),
    nearMiss: inText(sourceWithFile({ sha256: `"${DIGEST}"` }))
  },
  'missing-digest': { wrong: inText(sourceWith({})), nearMiss: inText(sourceWithFile({ sha256: `"${DIGEST}"` })) },
  'repeated-digest': {
    wrong: inText(two({ sha256: `"${DIGEST}"` }, { ...other, role: '"vae"', sha256: `"${DIGEST}"` })),
    nearMiss: inText(two({ sha256: `"${DIGEST}"` }, { ...other, role: '"vae"', sha256: `"f${DIGEST.slice(1)}"` }))
  },
  'bad-url': {
    wrong: inText(sourceWithFile({ url: '"https://huggingface.co/o/r/blob/main/a.bin"' })),
    nearMiss: inText(sourceWithFile({ url: '"https://huggingface.co/o/r/resolve/main/a.bin"' }))
  },
  'insecure-url': {
    wrong: inText(sourceWithFile({ url: '"http://example.com/a"' })),
    nearMiss: inText(sourceWithFile({ url: '"http://localhost/a"' }))
  },
  'unpinned-revision': {
    wrong: inText(sourceWithFile({ url: '"hf:o/r@main/a"' })),
    nearMiss: inText(sourceWithFile({ url: `"hf:o/r@${'a1'.repeat(20)}/a"` }))
  },
  'pickle-file': {
    wrong: inText(sourceWithFile({ filename: '"a.ckpt"' })),
    nearMiss: inText(sourceWithFile({ filename: '"a.ckpt.gguf"' }))
  },
  secret: {
    wrong: inText(sourceWith({ api_key: '"abc"' })),
    nearMiss: inText(sourceWith({ api_keys_page: '"abc"' }))
  },
  'size-mismatch': {
    wrong: inText(installedWith({ total_size_bytes: '8' }), 'installed'),
    nearMiss: inText(
      installedWith({ files: `[${installedFile({ size_bytes: '"7"' })}]`, total_size_bytes: '8' }),
      'installed'
    )
  },
  'missing-file': { wrong: onDisk({ kind: 'absent' }), nearMiss: onDisk(sound) },
  'size-differs': { wrong: onDisk({ ...sound, bytes: 8 }), nearMiss: onDisk(sound) },
  'digest-differs': {
    wrong: onDisk({ ...sound, digest: `f${DIGEST.slice(1)}` }),
    nearMiss: onDisk({ kind: 'file', bytes: 7 })
  },
  'not-on-hub': {
    wrong: onHub({ kind: 'no-file' }),
    nearMiss: onHub({ kind: 'listed', bytes: 7, sha256: null })
  },
  'hub-differs': {
    wrong: onHub({ kind: 'listed', bytes: 8, sha256: null }),
    nearMiss: onHub({ kind: 'listed', bytes: 7, sha256: null })
  },
  'extra-file': { wrong: onDisk(sound, ['b.bin']), nearMiss: onDisk(sound, []) },
  outdated: { wrong: onDisk(sound, [], { reason: 'Pull it again.' }), nearMiss: onDisk(sound) }
};

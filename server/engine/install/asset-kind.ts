import type { EngineVariant } from '../../../shared/engine';

/** What a file of a release is for. Platform and architecture are named as Node does. */
export type AssetKind =
  | {
      readonly kind: 'engine';
      readonly platform: NodeJS.Platform;
      readonly arch: string;
      readonly variant: EngineVariant;
      /** Of several builds for one variant the one with the least runs on most machines. */
      readonly demands: number;
      /** Major version of the CUDA runtime that it is built for. */
      readonly cuda?: string;
    }
  | {
      readonly kind: 'cuda-runtime';
      readonly platform: NodeJS.Platform;
      readonly arch: string;
      readonly cuda?: string;
    };

/** Backends that we do not offer; a name with one of them is no build for the processor. */
const OTHER_BACKEND = /(?:^|[-_.])(?:sycl|opencl|musa|cann|openvino|webgpu|debug|symbols?)(?=[-_.\d]|$)/;

/** Instructions that a build for the processor demands; those without a word demand what every machine has. */
const DEMANDS: readonly (readonly [RegExp, number])[] = [
  [/avx512/, 4],
  [/noavx/, 3],
  [/avx2/, 1],
  [/avx/, 2]
];

/**
 * Reads what a file of a release is for from its name. Names change from release to release, with the versions of the
 * machines that build them, so only the words in them are looked for.
 * @returns undefined for what is no build of the engine for a platform that we know
 */
export function assetKind(fileName: string): AssetKind | undefined {
  const name = fileName.toLowerCase();
  const platform = platformIn(name);
  const arch = archIn(name);
  if (!name.endsWith('.zip') || !platform || !arch || OTHER_BACKEND.test(name)) return undefined;
  const [, cuda] = /(?:cuda|cu)-?(\d{2})/.exec(name) ?? [];
  const common = { platform, arch, ...(cuda !== undefined && { cuda }) };
  if (name.startsWith('cudart')) return { kind: 'cuda-runtime', ...common };
  const variant = variantIn(name, platform, arch);
  const [, demands] = DEMANDS.find(([words]) => words.test(name)) ?? [undefined, 0];
  return { kind: 'engine', variant, demands, ...common };
}

function platformIn(name: string): NodeJS.Platform | undefined {
  if (/darwin|macos|osx/.test(name)) return 'darwin';
  if (/linux|ubuntu|debian/.test(name)) return 'linux';
  return /(?:^|[-_.])win(?:dows|32|64)?(?=[-_.]|$)/.test(name) ? 'win32' : undefined;
}

function archIn(name: string): string | undefined {
  if (/arm64|aarch64/.test(name)) return 'arm64';
  return /x64|x86[-_]64|amd64/.test(name) ? 'x64' : undefined;
}

function variantIn(name: string, platform: NodeJS.Platform, arch: string): EngineVariant {
  if (/cuda|(?:^|[-_.])cu\d/.test(name)) return 'cuda';
  if (/vulkan/.test(name)) return 'vulkan';
  if (/rocm|(?:^|[-_.])hip/.test(name)) return 'rocm';
  // Builds for Apple's own processors all have Metal in them.
  return /metal/.test(name) || (platform === 'darwin' && arch === 'arm64') ? 'metal' : 'cpu';
}

import { delimiter, isAbsolute, join } from 'node:path';
import type { EngineVariant } from '../../../shared/engine';

/** A machine as far as it tells what an engine may compute on. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Names in a folder; none when there is no such folder. */
  readonly list: (folder: string) => Promise<readonly string[]>;
}

/** A variant, and why it fits. */
export interface Recommendation {
  readonly variant: EngineVariant;
  readonly reason: string;
}

/** The build that runs everywhere. */
function cpu(reason: string): Recommendation {
  return { variant: 'cpu', reason };
}

/** What was found on a machine. */
interface Graphics {
  readonly nvidia: boolean;
  readonly rocm: boolean;
  readonly vulkanLoader: boolean;
  /** Whether there is a graphics device at all: Vulkan on the processor is slower than the processor alone. */
  readonly device: boolean;
}

/** Where Linux distributions keep libraries. */
const LINUX_LIBRARIES = [
  '/usr/lib',
  '/usr/lib64',
  '/lib',
  '/lib64',
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib/wsl/lib',
  '/usr/local/lib',
  '/run/opengl-driver/lib'
];

/**
 * The variants that fit a machine, the best first; the processor is always the last. Only looked at, nothing is run:
 * libraries, drivers and devices tell.
 */
export async function recommendVariants(machine: Machine): Promise<readonly Recommendation[]> {
  const { platform, arch } = machine;
  if (platform === 'darwin') {
    if (arch !== 'arm64') return [cpu('Macs with Intel processors have no build with graphics.')];
    return [{ variant: 'metal', reason: 'This is a Mac with an Apple processor.' }];
  }
  const graphics = platform === 'win32' ? await windowsGraphics(machine) : await linuxGraphics(machine);
  const found = recommendationsFor(graphics, platform);
  if (found.some(({ variant }) => variant !== 'cuda')) return [...found, cpu('Runs everywhere, and slowly.')];
  const isWithoutLoader = platform === 'linux' && (graphics.device || graphics.nvidia);
  const hint = 'A graphics device was found, but not the Vulkan loader that would make use of it (libvulkan).';
  return [...found, cpu(isWithoutLoader ? hint : 'No usable graphics device was found.')];
}

function recommendationsFor(
  { nvidia, rocm, vulkanLoader, device }: Graphics,
  platform: NodeJS.Platform
): Recommendation[] {
  const hasVulkan = vulkanLoader && (device || nvidia || rocm);
  const vulkanReason = nvidia
    ? 'The driver of an NVIDIA graphics device and Vulkan were found.'
    : 'A graphics device and Vulkan were found.';
  return [
    ...(nvidia ? [{ variant: 'cuda' as const, reason: 'The driver of an NVIDIA graphics device was found.' }] : []),
    ...(rocm && platform === 'linux'
      ? [{ variant: 'rocm' as const, reason: 'ROCm and an AMD device were found.' }]
      : []),
    ...(hasVulkan ? [{ variant: 'vulkan' as const, reason: vulkanReason }] : []),
    ...(rocm && platform === 'win32' ? [{ variant: 'rocm' as const, reason: 'The HIP runtime of AMD was found.' }] : [])
  ];
}

async function windowsGraphics({ environment, list }: Machine): Promise<Graphics> {
  const system = join(environment['SystemRoot'] ?? environment['SYSTEMROOT'] ?? 'C:\\Windows', 'System32');
  const names = (await list(system)).map((name) => name.toLowerCase());
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  const vulkanLoader = has(/^vulkan-1\.dll$/);
  // The loader comes with drivers of graphics devices only.
  return {
    nvidia: has(/^(?:nvcuda\.dll|nvidia-smi\.exe)$/),
    rocm: has(/^amdhip64.*\.dll$/),
    vulkanLoader,
    device: vulkanLoader
  };
}

async function linuxGraphics({ environment, list }: Machine): Promise<Graphics> {
  const named = (environment['LD_LIBRARY_PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  const libraries = (await Promise.all([...named, ...LINUX_LIBRARIES].map(list))).flat();
  const hasLibrary = (name: string): boolean => libraries.some((file) => file.startsWith(`${name}.so`));
  const devices = await list('/dev');
  const hasNvidiaDriver =
    devices.some((name) => /^nvidia\d/.test(name)) || (await list('/proc/driver/nvidia')).includes('version');
  const isWindowsBelow = devices.includes('dxg') && hasLibrary('libcuda');
  const rocmLibraries =
    hasLibrary('libamdhip64') || (await list('/opt/rocm/lib')).some((file) => file.startsWith('libamdhip64.so'));
  return {
    nvidia: hasNvidiaDriver || isWindowsBelow,
    rocm: devices.includes('kfd') && rocmLibraries,
    vulkanLoader: hasLibrary('libvulkan'),
    device: devices.includes('dxg') || (await list('/dev/dri')).some((name) => name.startsWith('renderD'))
  };
}

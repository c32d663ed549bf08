import { describe, expect, it } from 'vitest';
import { assetKind } from '../../../../server/engine/install/asset-kind';
import { engineOffers } from '../../../../server/engine/install/offers';
import { type Machine, recommendVariants } from '../../../../server/engine/install/recommend-variant';
import type { EngineRelease } from '../../../../server/engine/install/release-list';

/** The names of a release as they were published, without those that are no builds. */
const NAMES = [
  'cudart-sd-bin-win-cu12-x64.zip',
  'sd-master-97d2990-bin-Darwin-macOS-15.7.7-arm64.zip',
  'sd-master-97d2990-bin-Linux-Ubuntu-24.04-x86_64-rocm-7.14.0.zip',
  'sd-master-97d2990-bin-Linux-Ubuntu-24.04-x86_64-vulkan.zip',
  'sd-master-97d2990-bin-Linux-Ubuntu-24.04-x86_64.zip',
  'sd-master-97d2990-bin-win-cpu-x64.zip',
  'sd-master-97d2990-bin-win-cuda12-x64.zip',
  'sd-master-97d2990-bin-win-rocm-7.14.0-x64.zip',
  'sd-master-97d2990-bin-win-vulkan-x64.zip'
];

function release(tag: string, names: readonly string[]): EngineRelease {
  return { tag, assets: names.map((name) => ({ name, url: `https://example.com/${name}`, bytes: 1, digest: null })) };
}

const NEWEST = release('master-827-97d2990', NAMES);

/** A machine by the names in its folders. */
function machine(folders: Readonly<Record<string, readonly string[]>>, more: Partial<Machine> = {}): Machine {
  return { platform: 'linux', arch: 'x64', environment: {}, list: async (folder) => folders[folder] ?? [], ...more };
}

async function offersFor(on: Machine, releases: readonly EngineRelease[] = [NEWEST], tag?: string) {
  const recommendations = await recommendVariants(on);
  return engineOffers({ ...on, releases, recommendations, release: tag });
}

async function taken(on: Machine, releases?: readonly EngineRelease[]) {
  const offer = (await offersFor(on, releases)).find(({ isRecommended }) => isRecommended);
  return offer && [offer.engine.name, offer.runtime?.name].filter(Boolean);
}

const NVIDIA_LINUX = { '/dev': ['nvidia0', 'null'], '/usr/lib/x86_64-linux-gnu': ['libcuda.so.1'] };
const VULKAN_LINUX = { '/dev': ['dri'], '/dev/dri': ['card0', 'renderD128'], '/usr/lib64': ['libvulkan.so.1'] };

describe('the build that is taken when nobody chooses', () => {
  it.each([
    ['no graphics', machine({}), 'Linux-Ubuntu-24.04-x86_64.zip'],
    ['Vulkan', machine(VULKAN_LINUX), 'x86_64-vulkan.zip'],
    ['Vulkan without a device', machine({ '/usr/lib64': ['libvulkan.so.1'] }), '24.04-x86_64.zip'],
    [
      'NVIDIA, for which Linux has no build',
      machine({ ...NVIDIA_LINUX, '/usr/lib': ['libvulkan.so.1'] }),
      '-vulkan.zip'
    ],
    ['NVIDIA without a Vulkan loader', machine(NVIDIA_LINUX), '24.04-x86_64.zip'],
    [
      'ROCm',
      machine({ ...VULKAN_LINUX, '/dev': ['dri', 'kfd'], '/opt/rocm/lib': ['libamdhip64.so.7'] }),
      'rocm-7.14.0.zip'
    ],
    ['an Apple processor', machine({}, { platform: 'darwin', arch: 'arm64' }), 'Darwin-macOS-15.7.7-arm64.zip']
  ])('fits a machine with %s', async (_, on, ending) => {
    expect(await taken(on)).toEqual([expect.stringMatching(new RegExp(`${ending.replaceAll('.', '\\.')}$`))]);
  });

  const windows = (...names: string[]) =>
    machine({ 'C:\\Windows/System32': names, 'C:\\Windows\\System32': names }, { platform: 'win32' });

  it.each([
    ['CUDA, with its runtime', windows('nvcuda.dll', 'vulkan-1.dll'), ['win-cuda12-x64', 'cudart-sd-bin-win-cu12-x64']],
    ['Vulkan', windows('VULKAN-1.DLL'), ['win-vulkan-x64']],
    ['HIP alone', windows('amdhip64_7.dll'), ['win-rocm-7.14.0-x64']],
    ['nothing', windows(), ['win-cpu-x64']]
  ])('fits Windows with %s', async (_, on, names) => {
    expect(await taken(on)).toEqual(names.map((name) => expect.stringContaining(name)));
  });

  it('tells what would have to be installed for a graphics device to be used', async () => {
    const cpu = (await recommendVariants(machine(NVIDIA_LINUX))).at(-1);
    expect(cpu?.reason).toContain('libvulkan');
  });
});

describe('what can be installed', () => {
  it('is every variant for the platform, those that fit the machine first, each with a reason', async () => {
    const offers = await offersFor(machine(VULKAN_LINUX));
    expect(offers.map(({ variant }) => variant)).toEqual(['vulkan', 'cpu', 'rocm']);
    for (const { reason } of offers) expect(reason).toMatch(/\.$/);
  });

  it('comes from the release before when the newest one is not complete yet', async () => {
    const unfinished = release('master-828-1111111', ['sd-master-1111111-bin-win-cuda12-x64.zip']);
    const earlier = release(
      'master-826-2222222',
      NAMES.map((name) => name.replace('97d2990', '2222222'))
    );
    const on = machine(
      { 'C:\\Windows/System32': ['nvcuda.dll'], 'C:\\Windows\\System32': ['nvcuda.dll'] },
      { platform: 'win32' }
    );
    const [cuda] = await offersFor(on, [unfinished, earlier]);
    expect(cuda).toMatchObject({ variant: 'cuda', release: 'master-826-2222222' });
  });

  it('is only what a named release has', async () => {
    const other = release('master-1-0000000', ['sd-master-0000000-bin-Linux-Ubuntu-22.04-x86_64.zip']);
    const offers = await offersFor(machine(VULKAN_LINUX), [NEWEST, other], 'master-1-0000000');
    expect(offers).toMatchObject([{ variant: 'cpu', release: 'master-1-0000000', isRecommended: true }]);
    await expect(offersFor(machine({}), [NEWEST], 'nosuch')).rejects.toMatchObject({
      code: 'engine-unavailable',
      nextStep: 'The newest one is master-827-97d2990.'
    });
  });

  it('is nothing for platforms that have no build', async () => {
    await expect(offersFor(machine({}, { arch: 'riscv64' }))).rejects.toMatchObject({ code: 'engine-unavailable' });
    await expect(offersFor(machine({}, { platform: 'darwin', arch: 'x64' }))).rejects.toMatchObject({
      code: 'engine-unavailable'
    });
  });

  it('knows builds by the words in their names, of earlier releases too', () => {
    const kinds = Object.fromEntries(
      [
        'sd-master-c3ad6a1-bin-Darwin-macOS-14.7.2-arm64.zip',
        'sd-master-10c6501-bin-Linux-Ubuntu-24.04-x86_64.zip',
        'sd-master-10c6501-bin-win-avx512-x64.zip',
        'sd-master-10c6501-bin-win-noavx-x64.zip',
        'sd-master-10c6501-bin-win-cuda11.8.0-x64.zip',
        'sd-bin-windows-hip-amd64.zip',
        'sd-linux-sycl-x64.zip',
        'sd-linux-aarch64.tar.gz',
        'source.zip'
      ].map((name) => {
        const kind = assetKind(name);
        return [
          name,
          kind?.kind === 'engine' ? `${kind.platform} ${kind.arch} ${kind.variant} ${kind.demands}` : undefined
        ];
      })
    );
    expect(kinds).toEqual({
      'sd-master-c3ad6a1-bin-Darwin-macOS-14.7.2-arm64.zip': 'darwin arm64 metal 0',
      'sd-master-10c6501-bin-Linux-Ubuntu-24.04-x86_64.zip': 'linux x64 cpu 0',
      'sd-master-10c6501-bin-win-avx512-x64.zip': 'win32 x64 cpu 4',
      'sd-master-10c6501-bin-win-noavx-x64.zip': 'win32 x64 cpu 3',
      'sd-master-10c6501-bin-win-cuda11.8.0-x64.zip': 'win32 x64 cuda 0',
      'sd-bin-windows-hip-amd64.zip': 'win32 x64 rocm 0',
      'sd-linux-sycl-x64.zip': undefined,
      'sd-linux-aarch64.tar.gz': undefined,
      'source.zip': undefined
    });
  });
});

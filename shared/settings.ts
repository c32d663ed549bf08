/** Every setting of ours, once: package.json contributes exactly these (a test compares them). */
export const SETTINGS = {
  cacheRoot: { key: 'diffusionDock.cacheRoot', scope: 'machine', default: '' },
  sdCliPath: { key: 'diffusionDock.sdCli.path', scope: 'machine', default: '' },
  engineReleases: {
    key: 'diffusionDock.engine.releases',
    scope: 'machine',
    default: 'https://api.github.com/repos/leejet/stable-diffusion.cpp/releases'
  },
  sdServerPath: { key: 'diffusionDock.sdServer.path', scope: 'machine', default: '' },
  resident: { key: 'diffusionDock.engine.resident', scope: 'machine', default: false },
  residentIdleMinutes: { key: 'diffusionDock.engine.residentIdleMinutes', scope: 'machine', default: 10 },
  residentMemoryReserve: { key: 'diffusionDock.engine.residentMemoryReserve', scope: 'machine', default: 10 },
  rpcServers: { key: 'diffusionDock.engine.rpcServers', scope: 'machine', default: [] },
  remotes: { key: 'diffusionDock.engine.remotes', scope: 'machine', default: {} },
  device: { key: 'diffusionDock.engine.device', scope: 'machine', default: '' },
  allowInsecureHttp: { key: 'diffusionDock.network.allowInsecureHttp', scope: 'machine', default: false },
  adoptFrom: { key: 'diffusionDock.adoptFrom', scope: 'machine', default: [] },
  loraFolder: { key: 'diffusionDock.loraFolder', scope: 'machine', default: '' },
  allowPickle: { key: 'diffusionDock.allowPickle', scope: 'machine', default: [] },
  allowPrivateHosts: { key: 'diffusionDock.network.allowPrivateHosts', scope: 'machine', default: false },
  caFile: { key: 'diffusionDock.network.caFile', scope: 'machine', default: '' },
  rateLimit: { key: 'diffusionDock.pull.rateLimit', scope: 'machine', default: 0 },
  connections: { key: 'diffusionDock.pull.connections', scope: 'machine', default: 8 },
  keepPartialsDays: { key: 'diffusionDock.pull.keepPartialsDays', scope: 'machine', default: 14 },
  confirmAbove: { key: 'diffusionDock.pull.confirmAbove', scope: 'machine-overridable', default: 2000 },
  engineTimeLimit: { key: 'diffusionDock.engine.timeLimit', scope: 'machine', default: 0 },
  preview: { key: 'diffusionDock.preview', scope: 'window', default: true },
  stores: { key: 'diffusionDock.stores', scope: 'machine', default: {} },
  manifestSeverity: { key: 'diffusionDock.manifest.severity', scope: 'window', default: {} },
  manifestInclude: { key: 'diffusionDock.manifest.include', scope: 'resource', default: [] },
  manifestExclude: { key: 'diffusionDock.manifest.exclude', scope: 'resource', default: [] }
} as const;

export type SettingName = keyof typeof SETTINGS;

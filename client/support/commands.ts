/** Every command of ours, once: package.json contributes exactly these (a test compares them). */
export const COMMANDS = {
  generate: 'diffusionDock.generate',
  generateFromImage: 'diffusionDock.generateFromImage',
  upscaleImage: 'diffusionDock.upscaleImage',
  generateLike: 'diffusionDock.generateLike',
  openImage: 'diffusionDock.openImage',
  copyCommandLine: 'diffusionDock.copyCommandLine',
  refreshModels: 'diffusionDock.models.refresh',
  pullModel: 'diffusionDock.models.pull',
  verifyModel: 'diffusionDock.models.verify',
  showPlan: 'diffusionDock.models.showPlan',
  freeSpace: 'diffusionDock.freeSpace',
  unloadResident: 'diffusionDock.engine.unloadResident',
  healModel: 'diffusionDock.models.heal',
  pausePull: 'diffusionDock.models.pause',
  resumePull: 'diffusionDock.models.resume',
  cancelJob: 'diffusionDock.models.cancel',
  discardPartial: 'diffusionDock.models.discardPartial',
  convertModel: 'diffusionDock.models.convert',
  convertAgain: 'diffusionDock.models.convertAgain',
  dropModel: 'diffusionDock.models.drop',
  revealFolder: 'diffusionDock.models.revealFolder',
  openManifest: 'diffusionDock.models.openManifest',
  manifestFromFolder: 'diffusionDock.manifest.fromFolder',
  manifestFromHub: 'diffusionDock.manifest.fromHub',
  explainManifest: 'diffusionDock.manifest.explain',
  refreshCache: 'diffusionDock.hubCache.refresh',
  verifyCached: 'diffusionDock.hubCache.verify',
  healCached: 'diffusionDock.hubCache.heal',
  dropCached: 'diffusionDock.hubCache.drop',
  pruneCache: 'diffusionDock.hubCache.prune',
  cancelCached: 'diffusionDock.hubCache.cancel',
  revealCached: 'diffusionDock.hubCache.reveal',
  openOnHub: 'diffusionDock.hubCache.openOnHub',
  installEngine: 'diffusionDock.engine.install',
  chooseEngine: 'diffusionDock.engine.choose',
  publishModel: 'diffusionDock.models.publish',
  pullPublication: 'diffusionDock.stores.pull',
  cancelPublication: 'diffusionDock.stores.cancel',
  unpublish: 'diffusionDock.stores.unpublish',
  refreshStore: 'diffusionDock.stores.refresh',
  explainStoreTrouble: 'diffusionDock.stores.explain',
  copyStoreAddress: 'diffusionDock.stores.copyAddress',
  runBatch: 'diffusionDock.batch.run',
  resumeBatch: 'diffusionDock.batch.resume',
  stopBatch: 'diffusionDock.batch.stop',
  clearBatch: 'diffusionDock.batch.clear',
  openBatchFile: 'diffusionDock.batch.openFile',
  refreshJobs: 'diffusionDock.jobs.refresh',
  cancelListedJob: 'diffusionDock.jobs.cancel',
  storeCredential: 'diffusionDock.credentials.store',
  removeCredential: 'diffusionDock.credentials.remove',
  restartServer: 'diffusionDock.server.restart',
  showLog: 'diffusionDock.log.show'
} as const;

/** The view that lists the models. */
export const MODELS_VIEW = 'diffusionDock.models';

/** The view of the Hugging Face cache. */
export const HUB_CACHE_VIEW = 'diffusionDock.hubCache';

/** The view of what runs, and of batches. */
export const JOBS_VIEW = 'diffusionDock.jobs';

/** The command of VS Code that shows the models view. */
export const SHOW_MODELS = `${MODELS_VIEW}.focus`;

/** Context keys for the palette: whether a pull could be paused, and whether one could be resumed. */
export const PULL_RUNS = 'diffusionDock.pullRuns';
export const PULL_IS_PAUSED = 'diffusionDock.pullIsPaused';

/** The context key that is set while the language server is dead. */
export const SERVER_DEAD = 'diffusionDock.serverDead';

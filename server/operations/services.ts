import { isAbsolute, join } from 'node:path';
import { type EngineSettings, engineSettings } from '../../shared/engine-settings';
import type { StoreSettings } from '../../shared/store-settings';
import { type TransferLimits, USUAL_LIMITS } from '../../shared/transfer-limits';
import { RememberedProbes } from '../engine/remembered-probes';
import { Residents } from '../engine/resident/residents';
import { ImageInputs } from '../gallery/image-inputs';
import { FileImageStore, type ImageStore } from '../gallery/images';
import { hubCachePlace } from '../huggingface/cache/hub-cache-place';
import { hubCredentials, keptToHub } from '../huggingface/hub-credentials';
import { hubCacheFolder } from '../huggingface/hub-folders';
import type { Clock } from '../platform/clock';
import { freeBytes } from '../platform/disk-space';
import { createHasher, type Hasher } from '../platform/hasher';
import type { Log } from '../platform/log';
import { type MachineMemory, machineMemory } from '../platform/machine-memory';
import { OpenWork } from '../platform/open-work';
import { createPartHasher } from '../platform/part-hasher';
import { systemTicker } from '../platform/throttle';
import { WorkerPool } from '../platform/workers/worker-pool';
import type { FreeBytes } from '../pull/disk-room';
import { type CredentialStore, environmentCredentials, firstOf } from '../pull/http/credentials';
import { createHttpClient, type HttpClient } from '../pull/http/http-client';
import { TransferLimiter } from '../pull/http/transfer-limiter';
import type { AdoptionPlace } from '../pull/local/adoption-place';
import { folderPlace } from '../pull/local/folder-place';
import type { AddressPolicy } from '../pull/network/address-policy';
import { authorityVariables } from '../pull/network/authorities';
import { type HostResolver, systemResolver } from '../pull/network/guarded-connection';
import type { StartNetwork } from '../pull/network/network-thread';
import { type EditorProxy, proxySettings } from '../pull/network/proxy';
import { PullEngine } from '../pull/pull-engine';
import { TRANSFER_TUNING, type TransferTuning } from '../pull/transfer-tuning';
import { Registry } from '../registry/registry';
import { BlobStore } from '../store/blob-store';
import { BundleStore } from '../store/bundle-store';
import { CacheLayout } from '../store/cache-layout';
import { FetchedBundles } from '../store/fetched-bundles';
import { Proofs } from '../store/proofs';
import { RunningBatches } from './batch/running-batches';
import { ManifestsInView } from './manifests/manifests-in-view';
import { BundleSurvey } from './models/bundle-survey';
import { ExclusiveJobs } from './models/exclusive-jobs';
import { RunningPulls } from './pull/running-pulls';
import { WeightsLibrary } from './weights/weights-library';

/** What the host of the services decides: the language server, the command line, or a test. */
export interface ServiceOptions {
  /** Absolute path of the cache root. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Path of sd-cli from the settings. */
  readonly sdCliPath?: string | undefined;
  /** Where the releases of the engine are listed; absent: the environment, else the default. */
  readonly engineReleases?: string | undefined;
  /** How engines are used beyond a run of sd-cli; absent: not at all. */
  readonly engineSettings?: EngineSettings | undefined;
  /** The team's stores, by name; those of the environment come besides. */
  readonly stores?: StoreSettings | undefined;
  readonly policy: AddressPolicy;
  /** Folders that identical bytes may be adopted from, besides the cache of the hub's tools. */
  readonly adoptFrom?: readonly string[] | undefined;
  /** The user's own folder of LoRAs, an absolute path. */
  readonly loraFolder?: string | undefined;
  /** Names of models whose pickles the engine may read. */
  readonly allowPickle?: readonly string[] | undefined;
  /** Finds the addresses of host names; absent: as the system does. */
  readonly resolveHost?: HostResolver | undefined;
  /** A PEM file of authorities to trust, an absolute path. */
  readonly caFile?: string | undefined;
  /** What the editor says about proxies. */
  readonly editorProxy?: EditorProxy | undefined;
  /** Where the host keeps credentials, asked before the environment. */
  readonly hostCredentials?: CredentialStore | undefined;
  /** Days that a partial is kept which nobody goes on with, 0 for ever; absent: the environment, else the default. */
  readonly keepPartialsDays?: number | undefined;
  /** Whether the workspace is trusted now. */
  readonly isTrusted: () => boolean;
  /** The bundled worker, an absolute path. */
  readonly workerScript: string;
  /** Workers that several services share, and whose end is their owner's business; absent: workers of their own. */
  readonly pool?: WorkerPool | undefined;
  /** Gives a network thread that several services share; absent: one of their own. */
  readonly startNetwork?: StartNetwork | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** How much of the network transfers may take at first; absent: as much as there is. */
  readonly limits?: TransferLimits | undefined;
  /** What transfers go by, where it is not the usual. */
  readonly tuning?: Partial<TransferTuning>;
  /** What main memory the machine has, where it is not the platform that is asked. */
  readonly machineMemory?: () => Promise<MachineMemory>;
  /** How free space is told, where it is not the platform that is asked. */
  readonly freeBytes?: FreeBytes;
}

/** The parts that operations work with. Whoever creates them disposes of them. */
export interface Services extends Omit<ServiceOptions, 'limits' | 'engineSettings' | 'pool' | 'startNetwork'> {
  readonly engineSettings: EngineSettings;
  readonly residents: Residents;
  readonly machineMemory: () => Promise<MachineMemory>;
  readonly limits: TransferLimiter;
  readonly layout: CacheLayout;
  readonly pool: WorkerPool;
  readonly hasher: Hasher;
  readonly http: HttpClient;
  readonly credentials: CredentialStore;
  readonly proofs: Proofs;
  readonly blobs: BlobStore;
  readonly bundles: BundleStore;
  readonly fetched: FetchedBundles;
  readonly survey: BundleSurvey;
  readonly weights: WeightsLibrary;
  readonly registry: Registry;
  readonly pulls: PullEngine;
  readonly images: ImageStore;
  readonly imageInputs: ImageInputs;
  readonly probes: RememberedProbes;
  readonly jobs: ExclusiveJobs;
  readonly runningPulls: RunningPulls;
  readonly runningBatches: RunningBatches;
  /** What somebody waits for; ended before everything else is. */
  readonly openWork: OpenWork;
  readonly manifestsInView: ManifestsInView;
  dispose(): Promise<void>;
}

/** Composes the parts. Nothing is read, written or started yet. */
export function createServices(options: ServiceOptions): Services {
  const { root, clock, log } = options;
  const tuning = { ...TRANSFER_TUNING, ...options.tuning };
  const layout = new CacheLayout(root);
  const pool = options.pool ?? new WorkerPool(options.workerScript);
  const hasher = createHasher(pool);
  const proofs = new Proofs(layout.proofs, clock.now);
  const survey = new BundleSurvey(layout, proofs);
  const blobs = new BlobStore(layout, hasher, proofs);
  const limits = new TransferLimiter(clock, options.limits ?? USUAL_LIMITS);
  const http = createHttpClient({
    proxy: proxySettings(options.environment, options.editorProxy),
    policy: options.policy,
    resolveHost: options.resolveHost ?? systemResolver,
    authorities: {
      caFile: options.caFile,
      useSystem: options.editorProxy?.systemCertificates === true,
      environment: authorityVariables(options.environment)
    },
    limits: { connectMs: tuning.connectMs, stallMs: tuning.stallMs, stallBytes: tuning.stallBytes },
    limiter: limits,
    clock,
    workerScript: options.workerScript,
    startNetwork: options.startNetwork
  });
  const { environment, hostCredentials } = options;
  const own = [environmentCredentials(environment), hubCredentials(environment)];
  const engines = options.engineSettings ?? engineSettings.parse({});
  const memory = options.machineMemory ?? machineMemory;
  const openWork = new OpenWork();
  const residents = createResidents(engines, { layout, log, memory });
  return {
    ...options,
    machineMemory: memory,
    engineSettings: engines,
    residents,
    limits,
    layout,
    pool,
    hasher,
    http,
    credentials: keptToHub(firstOf(...(hostCredentials ? [hostCredentials] : []), ...own), environment),
    proofs,
    blobs,
    bundles: new BundleStore(layout, hasher, proofs),
    fetched: new FetchedBundles(layout, proofs),
    survey,
    weights: new WeightsLibrary(),
    registry: new Registry(layout.registry),
    pulls: new PullEngine({
      layout,
      blobs,
      hasher,
      parts: createPartHasher(pool),
      clock,
      log,
      tuning,
      limits,
      freeBytes: options.freeBytes ?? freeBytes,
      places: adoptionPlaces(options)
    }),
    images: new FileImageStore(join(root, 'images')),
    imageInputs: new ImageInputs(join(root, 'images', 'inputs'), clock.now),
    probes: new RememberedProbes({ folder: layout.engineProbes, hasher, proofs }),
    jobs: new ExclusiveJobs(),
    runningPulls: new RunningPulls(),
    runningBatches: new RunningBatches(),
    openWork,
    manifestsInView: new ManifestsInView(log),
    async dispose() {
      await openWork.end();
      survey.dispose();
      await Promise.all([residents.dispose(), http.close(), options.pool ? undefined : pool.dispose()]);
    }
  };
}

function createResidents(
  settings: EngineSettings,
  { layout, log, memory }: Pick<Services, 'layout' | 'log'> & { memory: Services['machineMemory'] }
): Residents {
  const { residentIdleMinutes: minutes, residentMemoryReserve: percent } = settings;
  return new Residents({
    settings: {
      idleMs: minutes === 0 ? Number.POSITIVE_INFINITY : minutes * 60_000,
      memoryReserve: percent / 100
    },
    scratchRoot: layout.scratch,
    log,
    ticker: systemTicker,
    memory
  });
}

/** A relative folder would mean another one wherever the process was started; it is left out. */
function adoptionPlaces({ environment, adoptFrom = [], root, log }: ServiceOptions): AdoptionPlace[] {
  const folders = adoptFrom.filter((folder) => isAbsolute(folder));
  return [
    hubCachePlace(hubCacheFolder(environment)),
    ...folders.map((folder) => folderPlace(folder, { log, except: [root] }))
  ];
}

import { NotificationType, NotificationType0, RequestType, RequestType0 } from 'vscode-languageserver-protocol';
import type { BatchImage, BatchName, BatchParams, BatchProgress, BatchResult, BatchSummary } from './batch';
import type { ConversionResult } from './conversion';
import type { EngineInstallation, EngineInstallProgress, EngineOffer, EngineSummary, EngineVariant } from './engine';
import type { FailureData } from './failure';
import type { FoundRequest } from './found-request';
import type { FreedSpace } from './freed-space';
import type { GalleryImage } from './gallery-image';
import type { GenerationChoices, GenerationRequest, GenerationResult } from './generation';
import type { HubCacheDeletion, HubCacheHealing, HubCacheListing, HubCacheReport } from './hub-cache';
import type { GenerationProgress, HubCacheProgress, PullEvent, VerifyProgress } from './job-events';
import type { ModelSummary, VerifyReport } from './model';
import type { PlannedPull } from './planned-pull';
import type {
  FetchPublicationParams,
  FetchResult,
  PublishParams,
  PublishProgress,
  PublishResult,
  StoreListing,
  UnpublishResult
} from './publication';
import type { Shell } from './shell-quoting';
import type { TransferLimits } from './transfer-limits';

/** The model that a request is about. */
export interface ModelParams {
  readonly name: string;
}

/** What fetches the files of a model. */
export interface FetchParams extends ModelParams {
  /** Of the credential to use instead of the one that the manifest names. */
  readonly credentialAlias?: string | undefined;
}

export interface PullResult {
  readonly model: string;
  readonly bytes: number;
  readonly transferredBytes: number;
}

export interface VerifyParams extends ModelParams {
  readonly depth: 'quick' | 'deep';
  /** Whether a deep verification reads even what did not change since it was read. */
  readonly force?: boolean;
}

/** What healing a model came to. */
export interface HealResult {
  readonly model: string;
  /** Paths of the files that were damaged or missing and are right again. */
  readonly healed: readonly string[];
  /** Why files are not healed, as far as some are; a healing that heals nothing fails as a whole. */
  readonly failures: readonly FailureData[];
  /** Other models that shared the damaged bytes and are healed too. */
  readonly others: readonly string[];
  /** Bytes that came over the network. */
  readonly transferredBytes: number;
  /** What a verification says now. */
  readonly report: VerifyReport;
}

export interface GenerateParams extends ModelParams {
  readonly request: GenerationRequest;
  /** Whether to send previews. */
  readonly preview?: boolean | undefined;
  /** How long the engine may run, in minutes; absent or 0: for ever. */
  readonly timeLimitMinutes?: number | undefined;
  /** The name of a device in the settings, or `local`; absent: the one that the settings name. */
  readonly device?: string | undefined;
}

/** What a model is made of another one by. */
export interface ConvertParams extends ModelParams {
  /** What its weights are to be stored as, by sd-cli's name. */
  readonly type: string;
  /** Name of the new model; absent: that of the old one and the type. */
  readonly as?: string | undefined;
  /** Roles of the files to convert; absent: those that hold most of a model. */
  readonly roles?: readonly string[] | undefined;
  /** How long the engine may run, in minutes; absent or 0: for ever. */
  readonly timeLimitMinutes?: number | undefined;
}

/** How an image looks in the middle of its sampling: a PNG of an eighth of its size. */
export interface GenerationPreview extends ModelParams {
  /** 1-based. */
  readonly image: number;
  readonly step: number;
  readonly steps: number;
  /** The file's bytes in base64. */
  readonly png: string;
}

/** What the user should know before a run begins; its result does not say it again. */
export interface GenerationNotice extends ModelParams {
  readonly sentence: string;
}

/** An image file on the machine of the server; the path is absolute. */
export interface ImageFileParams {
  readonly path: string;
}

export interface UpscaleParams extends ModelParams, ImageFileParams {
  /** How long the engine may run, in minutes; absent or 0: for ever. */
  readonly timeLimitMinutes?: number | undefined;
}

export interface CommandOfImageParams extends ImageFileParams {
  /** Which program the command line starts. */
  readonly program: 'diffusion-dock' | 'sd-cli';
  readonly shell: Shell;
}

/** A model that is loaded and waits for requests, or is busy with one. */
export interface ResidentModel {
  readonly model: string;
  readonly isGenerating: boolean;
}

/** A secret as the client keeps it, with the origins that it may be sent to. */
export interface StoredCredential {
  readonly secret: string;
  readonly origins: readonly string[];
}

/** Requests fail with `LSPErrorCodes.RequestFailed` and `FailureData` as the error's data, or are cancelled. */
export const ListModels = new RequestType0<readonly ModelSummary[], FailureData | undefined>(
  'diffusionDock/models/list'
);
/** Asks the sources for what the manifest does not say; nothing is transferred. */
export const PlanPull = new RequestType<FetchParams, PlannedPull, FailureData | undefined>('diffusionDock/models/plan');
export const PullModel = new RequestType<FetchParams, PullResult, FailureData | undefined>('diffusionDock/models/pull');
/** Fails with `not-running` when this server is not pulling the model. */
export const PausePull = new RequestType<ModelParams, void, FailureData | undefined>('diffusionDock/models/pause');
export const ResumePull = new RequestType<ModelParams, void, FailureData | undefined>('diffusionDock/models/resume');
/** Removes what was received of a model that is not complete. */
export const DiscardPartial = new RequestType<ModelParams, void, FailureData | undefined>(
  'diffusionDock/models/discardPartial'
);
/** The models that stay loaded. */
export const ListResidentModels = new RequestType0<readonly ResidentModel[], FailureData | undefined>(
  'diffusionDock/resident/list'
);
/** Unloads a model, after the request that it is busy with. */
export const UnloadResidentModel = new RequestType<ModelParams, void, FailureData | undefined>(
  'diffusionDock/resident/unload'
);
export const VerifyModel = new RequestType<VerifyParams, VerifyReport, FailureData | undefined>(
  'diffusionDock/models/verify'
);
/** Progress comes as that of a verification, then as that of a pull. */
export const HealModel = new RequestType<FetchParams, HealResult, FailureData | undefined>('diffusionDock/models/heal');
export const FreeSpace = new RequestType<{ readonly dryRun: boolean }, FreedSpace, FailureData | undefined>(
  'diffusionDock/freeSpace'
);
export const DropModel = new RequestType<ModelParams, void, FailureData | undefined>('diffusionDock/models/drop');
export const Generate = new RequestType<GenerateParams, GenerationResult, FailureData | undefined>(
  'diffusionDock/generate'
);

/** Progress comes as that of a generation, with the name of the old model, then as that of a pull of the new one. */
export const ConvertModel = new RequestType<ConvertParams, ConversionResult, FailureData | undefined>(
  'diffusionDock/models/convert'
);

/** Enlarges the image in a file with a model that is made for that. Progress comes as that of a generation. */
export const UpscaleImage = new RequestType<UpscaleParams, GenerationResult, FailureData | undefined>(
  'diffusionDock/images/upscale'
);

/** What a request to an installed model may say. */
export const ChoicesOfModel = new RequestType<ModelParams, GenerationChoices, FailureData | undefined>(
  'diffusionDock/models/choices'
);

/** How the image in a file was made, from the gallery or from what the file says. */
export const FindRequest = new RequestType<ImageFileParams, FoundRequest, FailureData | undefined>(
  'diffusionDock/images/findRequest'
);
/** The images of the gallery whose descriptions can be read, the latest first. */
export const ListImages = new RequestType0<readonly GalleryImage[], FailureData | undefined>(
  'diffusionDock/images/list'
);
/** The command line that makes an image of the gallery again. */
export const CommandOfImage = new RequestType<CommandOfImageParams, string, FailureData | undefined>(
  'diffusionDock/images/command'
);

/** Repositories and revisions of the Hugging Face cache: `hf:owner/repo[@revision]`; none means all of it. */
export interface HubCacheParams {
  readonly references: readonly string[];
}

export interface PruneHubCacheParams extends HubCacheParams {
  /** Whether only to say what that would free. */
  readonly dryRun: boolean;
}

export interface DropFromHubCacheParams {
  readonly reference: string;
  /** Whether only to say what that would free. */
  readonly dryRun: boolean;
}

export const ListHubCache = new RequestType0<HubCacheListing, FailureData | undefined>('diffusionDock/hubCache/list');
export const VerifyHubCache = new RequestType<HubCacheParams, readonly HubCacheReport[], FailureData | undefined>(
  'diffusionDock/hubCache/verify'
);
export const HealHubCache = new RequestType<HubCacheParams, readonly HubCacheHealing[], FailureData | undefined>(
  'diffusionDock/hubCache/heal'
);
export const DropFromHubCache = new RequestType<DropFromHubCacheParams, HubCacheDeletion, FailureData | undefined>(
  'diffusionDock/hubCache/drop'
);
export const PruneHubCache = new RequestType<PruneHubCacheParams, HubCacheDeletion, FailureData | undefined>(
  'diffusionDock/hubCache/prune'
);
/** Server to client: the cache that was listed is not what it was. */
export const HubCacheChanged = new NotificationType0('diffusionDock/hubCache/changed');
export const HubCacheProgressed = new NotificationType<HubCacheProgress>('diffusionDock/hubCache/progressed');

/** Which build of the engine is to be installed. */
export interface InstallEngineParams {
  readonly variant: EngineVariant;
  /** Tag of the release. */
  readonly release: string;
  /** Whether the user agreed to an archive that nothing proves. */
  readonly allowUnverified: boolean;
}

/** What could be installed, the builds that fit the machine first. */
export const ListEngineOffers = new RequestType0<readonly EngineOffer[], FailureData | undefined>(
  'diffusionDock/engine/offers'
);
export const InstallEngine = new RequestType<InstallEngineParams, EngineInstallation, FailureData | undefined>(
  'diffusionDock/engine/install'
);
/** Has the engine that was installed found before the PATH is searched. */
export const UseInstalledEngine = new RequestType0<EngineSummary, FailureData | undefined>(
  'diffusionDock/engine/useInstalled'
);
/** Asks a program whether it is an engine that runs here. */
export const TryEngine = new RequestType<{ readonly path: string }, EngineSummary, FailureData | undefined>(
  'diffusionDock/engine/try'
);
export const EngineInstallProgressed = new NotificationType<EngineInstallProgress>('diffusionDock/engine/progressed');

/** The team stores of the settings, or the one that is named, each with its publications or why it cannot be asked. */
export const ListStores = new RequestType<
  { readonly store?: string | undefined },
  readonly StoreListing[],
  FailureData | undefined
>('diffusionDock/stores/list');
/** Fails with `unhealthy-model` when the installed files are not what they should be. */
export const PublishModel = new RequestType<PublishParams, PublishResult, FailureData | undefined>(
  'diffusionDock/stores/publish'
);
/** Progress comes as that of a pull. Fails with `model-exists` unless a model from elsewhere may be replaced. */
export const FetchPublication = new RequestType<FetchPublicationParams, FetchResult, FailureData | undefined>(
  'diffusionDock/stores/fetch'
);
/** Removes a publication; nothing happens when there is none. What is installed anywhere stays. */
export const Unpublish = new RequestType<PublishParams, UnpublishResult, FailureData | undefined>(
  'diffusionDock/stores/unpublish'
);
export const PublishProgressed = new NotificationType<PublishProgress>('diffusionDock/stores/publishProgressed');
/** Server to client: the stores do not hold what they held. */
export const StoresChanged = new NotificationType0('diffusionDock/stores/changed');

/** Server to client: the list of models is not what it was; ask again when somebody looks. */
export const ModelsChanged = new NotificationType0('diffusionDock/models/changed');
export const PullProgressed = new NotificationType<PullEvent>('diffusionDock/models/pullProgressed');
export const VerifyProgressed = new NotificationType<VerifyProgress>('diffusionDock/models/verifyProgressed');
export const GenerationNoticed = new NotificationType<GenerationNotice>('diffusionDock/generationNoticed');
export const GenerationPreviewed = new NotificationType<GenerationPreview>('diffusionDock/generationPreviewed');
export const GenerationProgressed = new NotificationType<GenerationProgress>('diffusionDock/generationProgressed');

/** Client to server: every candidate manifest in the workspace, by URI; replaces what was said before. */
export const ManifestsInView = new NotificationType<{ readonly uris: readonly string[] }>(
  'diffusionDock/manifestsInView'
);
/** A document as the editor has it. */
export interface DocumentText {
  readonly uri: string;
  readonly text: string;
}

/** What a manifest is made of. */
export type ManifestOrigin =
  | { readonly kind: 'folder'; readonly uri: string }
  /** `owner/repo[@revision][/path]`, or the address of a repository's page. */
  | { readonly kind: 'hub'; readonly reference: string };

export interface MakeManifestParams {
  readonly from: ManifestOrigin;
  /** Names the progress that is reported meanwhile. */
  readonly workDoneToken?: string;
}

/** The text of a new manifest, and sentences about what its author should look at. */
export interface MadeManifest {
  /** Of the model. */
  readonly name: string;
  readonly text: string;
  readonly notes: readonly string[];
}

/** Lists the weights of a folder or repository with digests, sizes and likely roles; nothing is written. */
export const MakeManifest = new RequestType<MakeManifestParams, MadeManifest, FailureData | undefined>(
  'diffusionDock/manifest/make'
);

/** Says why a document is treated as a model manifest, or is not: a few sentences. */
export const ExplainRecognition = new RequestType<DocumentText, string, FailureData | undefined>(
  'diffusionDock/manifest/explain'
);
/** Client to server: transfers may take this much of the network from now on, those under way too. */
export const TransferLimitsChanged = new NotificationType<TransferLimits>('diffusionDock/transferLimits');
/** Client to server: what the user wants findings to be by now. */
export const SeveritiesChanged = new NotificationType<unknown>('diffusionDock/manifest/severities');
/** Client to server: the user now trusts the workspace. */
export const TrustGranted = new NotificationType0('diffusionDock/trustGranted');

/** Server to client: the one message whose answer carries a secret; null when there is none under that alias. */
export const GetCredential = new RequestType<{ readonly alias: string }, StoredCredential | null, void>(
  'diffusionDock/credential/get'
);

/** Server to client: the aliases under which credentials are stored, without the credentials. */
export const ListCredentialAliases = new RequestType0<readonly string[], void>('diffusionDock/credential/aliases');

/** The batches that were begun or continued on this machine, the latest first. */
export const ListBatches = new RequestType0<readonly BatchSummary[], FailureData | undefined>(
  'diffusionDock/batches/list'
);
/** Begins a batch, or goes on with it; cancelling the request stops it, and it can be resumed. */
export const RunBatch = new RequestType<BatchParams, BatchResult, FailureData | undefined>('diffusionDock/batches/run');
/** The images of a batch that is done, as far as the gallery has them still. */
export const ListBatchImages = new RequestType<BatchName, readonly BatchImage[], FailureData | undefined>(
  'diffusionDock/batches/images'
);
/** Takes a batch that is done off the list; its images stay. */
export const ForgetBatch = new RequestType<BatchName, void, FailureData | undefined>('diffusionDock/batches/forget');
/** How far a batch of this server is. Models that it pulls first tell that as any pull. */
export const BatchProgressed = new NotificationType<BatchProgress>('diffusionDock/batches/progressed');
/** Server to client: a batch has begun, ended, or made another image. */
export const BatchesChanged = new NotificationType0('diffusionDock/batches/changed');

/** What the lenses of a manifest run, with the model's name as the only argument. */
export const LENS_COMMANDS = {
  pull: 'diffusionDock.models.pull',
  verify: 'diffusionDock.models.verify',
  generate: 'diffusionDock.generate',
  publish: 'diffusionDock.models.publish'
} as const;

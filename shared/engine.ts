/** What a build of the engine computes on. */
export const ENGINE_VARIANTS = ['cuda', 'rocm', 'vulkan', 'metal', 'cpu'] as const;

export type EngineVariant = (typeof ENGINE_VARIANTS)[number];

/** A build that could be installed on this machine. */
export interface EngineOffer {
  readonly variant: EngineVariant;
  /** Why it is the one for this machine, or what speaks against it: one sentence. */
  readonly reason: string;
  /** Whether it is the one that is taken when nobody chooses. */
  readonly isRecommended: boolean;
  /** Tag of the release, for example `master-827-97d2990`. */
  readonly release: string;
  /** What is fetched: the build, then the libraries that it needs from elsewhere. */
  readonly archives: readonly OfferedArchive[];
}

/** One archive of an offer. */
export interface OfferedArchive {
  readonly name: string;
  /** Where it comes from, without anything that may be secret. */
  readonly from: string;
  /** Size in bytes, or null when the list of releases does not tell. */
  readonly bytes: number | null;
  /** SHA-256 that the list of releases publishes, or null. */
  readonly digest: string | null;
}

/** An engine that we installed. */
export interface InstalledEngineSummary {
  readonly release: string;
  readonly variant: EngineVariant;
  /** Absolute path of sd-cli. */
  readonly path: string;
  /** What it says of itself. */
  readonly version: string;
  readonly installedAt: number;
  /** `published`: by the list of releases. `pinned`: by the user. `observed`: nobody proved the archive. */
  readonly digestOrigin: 'published' | 'pinned' | 'observed';
}

/** Where an engine was found: in the order of the search. */
export type EngineOrigin = 'setting' | 'environment' | 'chosen' | 'path' | 'installed';

/** The engine that runs are made with. */
export interface EngineSummary {
  readonly path: string;
  readonly origin: EngineOrigin;
  readonly version: string;
  readonly digest: string;
  readonly devices: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly string[];
  readonly samplingMethods: readonly string[];
  readonly schedulers: readonly string[];
}

/** What an installation is at. */
export type EngineInstallProgress =
  | {
      readonly phase: 'fetching';
      readonly archive: string;
      readonly receivedBytes: number;
      readonly totalBytes: number | null;
    }
  | { readonly phase: 'unpacking' | 'checking'; readonly archive: string };

/** What was installed, and whether it is the engine that runs are made with. */
export interface EngineInstallation {
  readonly installed: InstalledEngineSummary;
  /** The engine that is found before it; null when it is the one in use. */
  readonly hiddenBy: { readonly path: string; readonly origin: EngineOrigin } | null;
}

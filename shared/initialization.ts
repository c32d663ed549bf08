import * as z from 'zod';
import { engineSettings } from './engine-settings';
import { storeSettings } from './store-settings';
import { transferLimits, USUAL_LIMITS } from './transfer-limits';

/**
 * What the client tells the server before anything else. Left out by editors that know nothing of us; then the
 * defaults hold: untrusted, and the server reports JSON syntax itself.
 */
export const initializationOptions = z.object({
  /** Whether the user trusts the workspace; without trust nothing is fetched, installed or started. */
  trusted: z.boolean().default(false),
  /** Whether the editor already reports JSON syntax errors in manifests. */
  hostReportsJsonSyntax: z.boolean().default(false),
  /** Whether the editor folds, outlines and formats JSON by itself. */
  hostEditsJson: z.boolean().default(false),
  /** Whether the editor runs `LENS_COMMANDS` itself; else the server does. */
  hostRunsCommands: z.boolean().default(false),
  /** Whether the client says `ManifestsInView`; else the server searches the folders of the workspace. */
  hostFindsManifests: z.boolean().default(false),
  /** Folder of the cache; absent: DIFFUSION_DOCK_HOME, else the platform's data folder. */
  cacheRoot: z.string().min(1).optional(),
  /** Path of sd-cli; absent: DIFFUSION_DOCK_SD_CLI, PATH, then our own folder. */
  sdCliPath: z.string().min(1).optional(),
  /** Where releases of sd-cli are listed; absent: DIFFUSION_DOCK_ENGINE_RELEASES, else those of its makers. */
  engineReleases: z.string().min(1).optional(),
  /** How engines are used beyond a run of sd-cli on this machine. */
  engine: engineSettings.prefault({}),
  /** The team's stores, by name. */
  stores: storeSettings.prefault({}),
  /** A PEM file of further authorities that servers are trusted by. */
  caFile: z.string().min(1).optional(),
  /** Whether the client answers `GetCredential`. */
  providesCredentials: z.boolean().default(false),
  /** The editor's own proxy settings; they win over HTTP_PROXY and HTTPS_PROXY. */
  proxy: z
    .object({
      address: z.string().optional(),
      strictTls: z.boolean().optional(),
      exceptions: z.array(z.string()).optional(),
      systemCertificates: z.boolean().optional()
    })
    .default({}),
  /** Whether plain http is allowed for hosts other than this machine. */
  allowInsecureHttp: z.boolean().default(false),
  /** Absolute paths of folders that identical bytes may be adopted from. */
  adoptFrom: z.array(z.string()).default([]),
  /** Absolute path of the user's own folder of LoRAs. */
  loraFolder: z.string().min(1).optional(),
  /** Names of models whose pickles the engine may read. */
  allowPickle: z.array(z.string()).default([]),
  /** Days that a partial is kept which nobody goes on with; 0: for ever. */
  keepPartialsDays: z.number().min(0).optional(),
  /** Whether hosts of private networks may be connected to when a manifest names them. */
  allowPrivateHosts: z.boolean().default(false),
  /** How much of the network transfers may take; see `TransferLimitsChanged`. */
  limits: transferLimits.default(USUAL_LIMITS),
  /** Glob patterns of documents that are manifests, and of those that are none, for each folder of the workspace. */
  manifestPatterns: z
    .array(
      z.object({
        /** URI of the folder that the patterns are relative to. */
        folder: z.string(),
        include: z.array(z.string()).default([]),
        exclude: z.array(z.string()).default([])
      })
    )
    .default([]),
  /** What the user wants findings to be, by code; see `SeveritiesChanged`. */
  severities: z.unknown().optional()
});

export type InitializationOptions = z.input<typeof initializationOptions>;

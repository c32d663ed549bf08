import {
  type Connection,
  ErrorCodes,
  type InitializeParams,
  ResponseError,
  TextDocumentSyncKind,
  TextDocuments
} from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { Failure, messageOf } from '../../shared/failure';
import { initializationOptions } from '../../shared/initialization';
import { ModelsChanged, TransferLimitsChanged, TrustGranted } from '../../shared/protocol';
import { transferLimits } from '../../shared/transfer-limits';
import { cleanUpAfterCrashes } from '../operations/clean-up/start-up';
import { unloadStale } from '../operations/engine/resident-models';
import { watchModels } from '../operations/models/watch-models';
import { requireNoSecret } from '../operations/no-secret';
import { createServices, type Services } from '../operations/services';
import { cacheRoot } from '../platform/cache-root';
import { systemClock } from '../platform/clock';
import { type Log, logLine } from '../platform/log';
import { serveBatches } from './batch-requests';
import { serveConversion } from './convert-requests';
import { serveLensCommands } from './editing/run-lens';
import { editorCredentials } from './editor-credentials';
import { serveEngine } from './engine-requests';
import { serveHubCache } from './hub-cache-requests';
import { serveImages } from './image-requests';
import { serveModels } from './model-requests';
import { type ManifestServing, serveManifests } from './serve-manifests';
import { serveStores } from './store-requests';

/** What the process gives the language server. */
export interface LanguageHost {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The bundled worker, an absolute path. */
  readonly workerScript: string;
  /** URL of the folder with a page for each diagnostic code, ending with a slash. */
  readonly documentation: string;
  readonly version: string;
}

/** Serves a language client until it shuts down. Nothing runs before it says `initialize`. */
export function serveLanguage(connection: Connection, host: LanguageHost): void {
  const documents = new TextDocuments(TextDocument);
  let services: Services | undefined;
  let trusted = false;
  let onModelsChanged: (() => void) | undefined;
  let stopWatchingCache: (() => void) | undefined;
  let manifests: ManifestServing | undefined;
  connection.onInitialize((params) => {
    refuseSecrets(params.initializationOptions);
    const options = optionsOf(params);
    trusted = options.trusted;
    services = createServices({
      root: cacheRoot(options.cacheRoot, host.environment),
      environment: host.environment,
      sdCliPath: options.sdCliPath,
      engineReleases: options.engineReleases,
      engineSettings: options.engine,
      stores: options.stores,
      adoptFrom: options.adoptFrom,
      loraFolder: options.loraFolder,
      allowPickle: options.allowPickle,
      limits: options.limits,
      caFile: options.caFile,
      policy: options,
      editorProxy: options.proxy,
      hostCredentials: options.providesCredentials ? editorCredentials(connection) : undefined,
      keepPartialsDays: options.keepPartialsDays,
      isTrusted: () => trusted,
      workerScript: host.workerScript,
      clock: systemClock,
      log: editorLog(connection)
    });
    const { documentation, version } = host;
    const serving = serveManifests(connection, documents, services, { params, given: options, documentation });
    manifests = serving;
    const changed = (): void => {
      void connection.sendNotification(ModelsChanged);
      serving.refresh();
    };
    onModelsChanged = changed;
    stopWatchingCache = serveHubCache(connection, services);
    serveJobs(connection, services, changed);
    if (!options.hostRunsCommands) serveLensCommands(connection, services, changed);
    return {
      serverInfo: { name: 'Diffusion Dock', version },
      capabilities: {
        textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: true },
        ...serving.capabilities
      }
    };
  });
  let watching: Promise<() => void> | undefined;
  connection.onInitialized(() => {
    if (!services) return;
    void cleanUpAfterCrashes(services);
    const parts = services;
    watching = watchModels(services, () => {
      onModelsChanged?.();
      void unloadStale(parts).catch((error: unknown) =>
        parts.log.warn('failed unloading', { reason: messageOf(error) })
      );
    });
    manifests?.begin(() => onModelsChanged?.());
  });
  connection.onNotification(TrustGranted, () => {
    trusted = true;
  });
  connection.onNotification(TransferLimitsChanged, (limits) => {
    const given = transferLimits.safeParse(limits);
    if (given.success) services?.limits.change(given.data);
  });
  connection.onShutdown(async () => {
    stopWatchingCache?.();
    manifests?.close();
    (await watching)?.();
    await services?.dispose();
  });
  documents.listen(connection);
  connection.listen();
}

/** All that is asked of models, images and the engine. */
function serveJobs(connection: Connection, services: Services, changed: () => void): void {
  serveModels(connection, services, changed);
  serveConversion(connection, services, changed);
  serveImages(connection, services);
  serveBatches(connection, services, changed);
  serveStores(connection, services, changed);
  serveEngine(connection, services);
}

/** The address of a proxy may hold its password, as editors keep it. @throws ResponseError that names the field */
function refuseSecrets(options: unknown): void {
  try {
    requireNoSecret(options, 'proxy.address');
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new ResponseError(ErrorCodes.InvalidParams, `initializationOptions: ${error.message}`, error.toJSON());
  }
}

/** Options that make no sense count as not given: the safe defaults hold. */
function optionsOf({ initializationOptions: raw }: InitializeParams): ReturnType<typeof initializationOptions.parse> {
  const given = initializationOptions.safeParse(raw ?? {});
  return given.success ? given.data : initializationOptions.parse({});
}

function editorLog(connection: Connection): Log {
  return {
    info: (text, fields) => connection.console.info(logLine(text, fields)),
    warn: (text, fields) => connection.console.warn(logLine(text, fields)),
    error: (text, fields) => connection.console.error(logLine(text, fields))
  };
}

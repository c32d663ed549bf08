import { type ExtensionContext, type LogOutputChannel, workspace } from 'vscode';
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  TransportKind
} from 'vscode-languageclient/node';
import type { InitializationOptions } from '../../shared/initialization';
import { manifestPatterns, manifestSelector } from '../manifests/manifest-patterns';
import {
  adoptFrom,
  allowInsecureHttp,
  allowPickle,
  allowPrivateHosts,
  cacheRoot,
  caFile,
  editorProxy,
  engineReleases,
  engineSettings,
  keepPartialsDays,
  loraFolder,
  manifestSeverity,
  sdCliPath,
  stores,
  transferLimits
} from './settings';

/**
 * A client for a server of its own, not started yet.
 * @param onClosed is called when the server ends without being asked to
 */
export function createLanguageClient(
  context: ExtensionContext,
  log: LogOutputChannel,
  onClosed: () => void
): LanguageClient {
  const server = { module: context.asAbsolutePath('dist/server.js'), transport: TransportKind.ipc };
  return new LanguageClient('diffusionDock', 'Diffusion Dock', server, {
    documentSelector: manifestSelector(),
    diagnosticPullOptions: { onChange: true, onSave: false },
    initializationOptions: initializationOptions(),
    outputChannel: log,
    traceOutputChannel: log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue }),
      closed: () => {
        onClosed();
        return { action: CloseAction.DoNotRestart, handled: true, message: 'The language server ended.' };
      }
    }
  });
}

function initializationOptions(): InitializationOptions {
  const root = cacheRoot();
  const engine = sdCliPath();
  const authorities = caFile();
  const loras = loraFolder();
  const releases = engineReleases();
  return {
    trusted: workspace.isTrusted,
    hostReportsJsonSyntax: true,
    hostEditsJson: true,
    hostRunsCommands: true,
    hostFindsManifests: true,
    providesCredentials: true,
    proxy: editorProxy(),
    allowInsecureHttp: allowInsecureHttp(),
    keepPartialsDays: keepPartialsDays(),
    adoptFrom: adoptFrom(),
    allowPickle: allowPickle(),
    allowPrivateHosts: allowPrivateHosts(),
    engine: engineSettings(),
    stores: stores(),
    limits: transferLimits(),
    severities: manifestSeverity(),
    manifestPatterns: manifestPatterns(),
    ...(root !== undefined && { cacheRoot: root }),
    ...(authorities !== undefined && { caFile: authorities }),
    ...(engine !== undefined && { sdCliPath: engine }),
    ...(loras !== undefined && { loraFolder: loras }),
    ...(releases !== undefined && { engineReleases: releases })
  };
}

import type { Connection, InitializeParams, ServerCapabilities, TextDocuments } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type * as z from 'zod';
import { readSeverityOverrides } from '../../shared/manifest/severities';
import { type initializationOptions, SeveritiesChanged } from '../../shared/protocol';
import { hubAddress } from '../huggingface/hub-address';
import { bundleOnDisk } from '../operations/bundle-on-disk';
import { manifestKnowledge } from '../operations/manifest-knowledge';
import type { Services } from '../operations/services';
import { serveDiagnostics } from './diagnostics';
import { viewRefresher } from './editing/refresh';
import { editingCapabilities, serveEditing } from './editing/serve-editing';
import { ManifestDocuments } from './manifest-documents';

export interface ManifestServingOptions {
  readonly params: InitializeParams;
  readonly given: z.output<typeof initializationOptions>;
  /** URL of the folder with a page for each diagnostic code, ending with a slash. */
  readonly documentation: string;
}

/** What serves the manifests that are open in an editor. */
export interface ManifestServing {
  readonly capabilities: ServerCapabilities;
  /** To be called when models, other manifests or the disk are not what they were. */
  readonly refresh: () => void;
}

/** Serves whoever edits manifests: findings, and help to write and read them. */
export function serveManifests(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  services: Services,
  { params, given, documentation }: ManifestServingOptions
): ManifestServing {
  const { manifestsInView, environment, log } = services;
  const manifests = new ManifestDocuments({
    bundleFolders: [services.layout.models],
    reportSyntax: !given.hostReportsJsonSyntax,
    namesakesOf: (path) => manifestsInView.namesakesOf(path),
    bundleAt: (path) => bundleOnDisk(services, path)
  });
  let severities = readSeverityOverrides(given.severities);
  const asks = params.capabilities.textDocument?.diagnostic !== undefined;
  const diagnostics = { asks, documentation, severities: () => severities };
  const sendAnew = serveDiagnostics(connection, documents, manifests, diagnostics);
  serveEditing(connection, documents, manifests, {
    params,
    hostEditsJson: given.hostEditsJson,
    hostRunsCommands: given.hostRunsCommands,
    knowledge: manifestKnowledge(services),
    hub: hubAddress(environment['HF_ENDPOINT']),
    log
  });
  const askAnew = viewRefresher(connection, params);
  const refresh = (): void => {
    askAnew();
    sendAnew();
  };
  connection.onNotification(SeveritiesChanged, (wanted) => {
    severities = readSeverityOverrides(wanted);
    refresh();
  });
  const provider = { interFileDependencies: true, workspaceDiagnostics: false };
  return { capabilities: { ...editingCapabilities(given), ...(asks && { diagnosticProvider: provider }) }, refresh };
}

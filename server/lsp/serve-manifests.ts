import type { Connection, InitializeParams, ServerCapabilities, TextDocuments } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type * as z from 'zod';
import type { initializationOptions } from '../../shared/initialization';
import { readSeverityOverrides } from '../../shared/manifest/severities';
import { SeveritiesChanged } from '../../shared/protocol';
import { hubAddress } from '../huggingface/hub-address';
import { ManifestPatterns } from '../manifest/recognition/manifest-patterns';
import { bundleOnDisk } from '../operations/manifests/bundle-on-disk';
import { manifestKnowledge } from '../operations/manifests/manifest-knowledge';
import { PendingRenamings } from '../operations/rename/pending-renamings';
import type { Services } from '../operations/services';
import { WeightsInView } from '../operations/weights/weights-in-view';
import { serveDiagnostics } from './diagnostics';
import { tellFailure } from './editing/editor-messages';
import { viewRefresher } from './editing/refresh';
import { editingCapabilities, serveEditing } from './editing/serve-editing';
import { filePathOf } from './file-path';
import { findManifests } from './find-manifests';
import { ManifestDocuments } from './manifest-documents';
import { serveManifestRequests } from './manifest-requests';
import { UnopenedManifests } from './unopened-manifests';
import { serveWorkspaceDiagnostics } from './workspace-diagnostics';

/** A pull changes the cache again and again; the manifests that are not open are looked at this long after, in ms. */
const GATHER_MS = 1000;

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
  /** To be called when the editor said `initialized`. @param changed as {@link refresh}, and for the models as well */
  readonly begin: (changed: () => void) => void;
  /** To be called before the server ends. */
  readonly close: () => void;
}

/** Serves whoever edits manifests: findings, and help to write and read them. */
export function serveManifests(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  services: Services,
  { params, given, documentation }: ManifestServingOptions
): ManifestServing {
  const { manifestsInView, environment, log } = services;
  const patterns = new ManifestPatterns(
    given.manifestPatterns.flatMap(({ folder, ...rest }) => {
      const path = filePathOf(folder);
      return path === undefined ? [] : [{ folder: path, ...rest }];
    }),
    (pattern) => log.warn('pattern not used', { pattern })
  );
  manifestsInView.leaveOut((path) => patterns.excluding(path) !== undefined);
  const weights = new WeightsInView(services, () => askForViews());
  const manifests = new ManifestDocuments({
    patterns,
    bundleFolders: [services.layout.models],
    reportSyntax: !given.hostReportsJsonSyntax,
    namesakesOf: (path) => manifestsInView.recentNamesakesOf(path),
    bundleAt: (path) => bundleOnDisk(services, path),
    weightsOf: (name) => weights.of(name)
  });
  serveManifestRequests(connection, manifests, services);
  let severities = readSeverityOverrides(given.severities);
  const asks = params.capabilities.textDocument?.diagnostic !== undefined;
  const presentation = { documentation, severities: () => severities };
  const open = serveDiagnostics(connection, documents, manifests, { asks, ...presentation });
  const unopened = new UnopenedManifests({ manifestsInView, manifests, presentation, log });
  const { answered } = open;
  const workspace = serveWorkspaceDiagnostics(connection, documents, { asks, unopened, answered, log });
  manifestsInView.follow(workspace.look);
  const renamings = new PendingRenamings(services, (error) => tellFailure(connection, log, 'renaming', error));
  documents.onDidSave(() => void renamings.look());
  serveEditing(connection, documents, manifests, {
    renamings,
    params,
    hostEditsJson: given.hostEditsJson,
    hostRunsCommands: given.hostRunsCommands,
    knowledge: manifestKnowledge(services),
    hub: hubAddress(environment['HF_ENDPOINT']),
    log,
    services
  });
  let lookSoon: NodeJS.Timeout | undefined;
  const lookNow = (): void => {
    lookSoon = undefined;
    workspace.look();
  };
  const askAnew = viewRefresher(connection, params);
  const askForViews = (): void => {
    askAnew();
    open.sendAnew();
    if (unopened.areSome) lookSoon ??= setTimeout(lookNow, GATHER_MS);
  };
  const refresh = (): void => {
    weights.forgetLooks();
    void renamings.look();
    askForViews();
  };
  connection.onNotification(SeveritiesChanged, (wanted) => {
    severities = readSeverityOverrides(wanted);
    refresh();
    workspace.look();
  });
  const provider = { interFileDependencies: true, workspaceDiagnostics: true };
  return {
    capabilities: { ...editingCapabilities({ params, ...given }), ...(asks && { diagnosticProvider: provider }) },
    refresh,
    begin(changed) {
      if (given.hostFindsManifests) return;
      manifestsInView.awaitSearch(findManifests(connection, { params, manifestsInView, changed, log }));
    },
    close() {
      clearTimeout(lookSoon);
      workspace.close();
    }
  };
}

import { commands, Disposable, type ExtensionContext, type LogOutputChannel, window, workspace } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import type { HubCacheProgress } from '../shared/job-events';
import {
  EngineInstallProgressed,
  GenerationPreviewed,
  GenerationProgressed,
  GetCredential,
  HubCacheChanged,
  HubCacheProgressed,
  ListCredentialAliases,
  ManifestsInView,
  ModelsChanged,
  PullProgressed,
  TrustGranted,
  VerifyProgressed
} from '../shared/protocol';
import { registerCommands } from './commands';
import { CredentialVault } from './credentials/credential-vault';
import { ENGINE_JOB } from './engine/install-engine';
import { CacheList } from './huggingface/cache-list';
import { CacheTree } from './huggingface/cache-tree';
import { startForOpenManifests } from './manifests/open-manifests';
import { WorkspaceManifests } from './manifests/workspace-manifests';
import { followPullsInContexts } from './models/job-contexts';
import {
  generationProgress,
  hubCacheProgress,
  installProgress,
  pullProgress,
  verifyProgress
} from './models/job-progress';
import { ModelList } from './models/model-list';
import { PlanDocuments } from './models/plan-actions';
import { RunningJobs } from './models/running-jobs';
import { showJobsInStatusBar } from './models/status-bar';
import { ModelTree } from './models/tree';
import { HUB_CACHE_VIEW, MODELS_VIEW, SERVER_DEAD } from './support/commands';
import { troubleOf } from './support/failures';
import { createLanguageClient } from './support/language-client';
import { followLiveSettings, sendLiveSettings } from './support/live-settings';
import { createLog } from './support/log';
import { sayFailed, sayServerDied } from './support/messages';
import { ServerConnection } from './support/server-connection';
import { restartOnSettingsChange } from './support/settings-restart';

let connection: ServerConnection | undefined;

/** Composes the extension. No process is started before a view, a command or a model manifest needs the server. */
export function activate(context: ExtensionContext): void {
  const log = createLog();
  const jobs = new RunningJobs();
  const manifests = new WorkspaceManifests();
  const vault = new CredentialVault(context.secrets);
  const server = new ServerConnection({
    log,
    createClient: (onClosed) => createLanguageClient(context, log, onClosed),
    listen: (client) => {
      listen(client, models, cache, jobs);
      client.onRequest(GetCredential, ({ alias }) => vault.find(alias));
      client.onRequest(ListCredentialAliases, () => vault.aliases());
    },
    greet: async (client) => {
      await sendLiveSettings(client);
      await sendManifests(client, manifests);
    }
  });
  connection = server;
  const models = new ModelList(server);
  const cache = new CacheList(server);
  const plans = new PlanDocuments();
  const tree = new ModelTree(models, jobs, {
    isVisible: () => view.visible,
    onTrouble: (thrown) => reportUnlistable(log, thrown)
  });
  const view = window.createTreeView(MODELS_VIEW, { treeDataProvider: tree });
  const cacheTree = new CacheTree(cache, jobs, (thrown) => reportUnlistable(log, thrown));
  const cacheView = window.createTreeView(HUB_CACHE_VIEW, { treeDataProvider: cacheTree });
  context.subscriptions.push(
    log,
    server,
    jobs,
    models,
    tree,
    view,
    cache,
    cacheTree,
    cacheView,
    plans,
    manifests,
    showJobsInStatusBar(jobs),
    followPullsInContexts(jobs),
    followServer(server, models, cache),
    followManifests(server, manifests),
    startForOpenManifests(server),
    followTrust(server, view),
    followLiveSettings(server),
    restartOnSettingsChange({ connection: server, jobs, log, beforeRestart: () => manifests.search() }),
    registerCommands({ connection: server, cache, jobs, log, models, manifests, plans, vault })
  );
}

/** Ends the server; pulls under way stay resumable. */
export async function deactivate(): Promise<void> {
  await connection?.stop();
}

/** Nothing is attached twice: the handlers live and die with the client. */
function listen(client: LanguageClient, models: ModelList, cache: CacheList, jobs: RunningJobs): void {
  client.onNotification(HubCacheChanged, () => cache.invalidate());
  client.onNotification(HubCacheProgressed, (progress) => showCacheProgress(jobs, progress));
  client.onNotification(ModelsChanged, () => models.invalidate());
  client.onNotification(PullProgressed, (event) => {
    const progress = pullProgress(event);
    if (!progress) return;
    // While a plan is made, servers may ask to be left alone for a while.
    jobs.advance(event.model, jobs.of(event.model)?.kind === 'plan' ? 'plan' : 'pull', progress);
  });
  client.onNotification(EngineInstallProgressed, (progress) =>
    jobs.advance(ENGINE_JOB, 'install', installProgress(progress))
  );
  client.onNotification(VerifyProgressed, (event) => jobs.advance(event.model, 'verify', verifyProgress(event)));
  client.onNotification(GenerationProgressed, (event) =>
    jobs.advance(event.model, 'generate', generationProgress(event))
  );
  client.onNotification(GenerationPreviewed, ({ name, png }) => jobs.showPreview(name, png));
}

/** A job may be on the repository, or on one of its revisions. */
function showCacheProgress(jobs: RunningJobs, progress: HubCacheProgress): void {
  const { reference } = progress;
  for (const { model, kind } of jobs.all()) {
    if (model === reference || model.startsWith(`${reference}@`)) jobs.advance(model, kind, hubCacheProgress(progress));
  }
}

async function sendManifests(client: LanguageClient, manifests: WorkspaceManifests): Promise<void> {
  const uris = (await manifests.uris()).map((uri) => client.code2ProtocolConverter.asUri(uri));
  // Trust may have been granted while the server was starting, when nobody could be told.
  if (workspace.isTrusted) await client.sendNotification(TrustGranted);
  await client.sendNotification(ManifestsInView, { uris });
}

/** A dead server is said once, and the view shows what to do instead of a list that may be wrong. */
function followServer(server: ServerConnection, models: ModelList, cache: CacheList): Disposable {
  return server.onDidChangeState((state) => {
    void commands.executeCommand('setContext', SERVER_DEAD, state === 'dead');
    if (state === 'dead') sayServerDied();
    if (state === 'starting') return;
    models.invalidate();
    cache.invalidate();
  });
}

/** A workspace with a manifest of ours needs the server; later changes are told to a server that runs. */
function followManifests(server: ServerConnection, manifests: WorkspaceManifests): Disposable {
  const tell = async (): Promise<void> => {
    const client = server.runningClient();
    if (client) await sendManifests(client, manifests);
    else if ((await manifests.uris()).length > 0) await server.ensureStarted();
  };
  void manifests.search();
  return Disposable.from(
    manifests.onDidChange(() => void tell()),
    workspace.onDidChangeWorkspaceFolders(() => void manifests.search())
  );
}

function followTrust(server: ServerConnection, view: { message?: string }): Disposable {
  view.message = workspace.isTrusted ? '' : 'Restricted Mode: models are listed and checked, but not pulled or run.';
  return workspace.onDidGrantWorkspaceTrust(() => {
    view.message = '';
    void server.runningClient()?.sendNotification(TrustGranted);
  });
}

/** A dead server already has its message; the view shows the way out. */
function reportUnlistable(log: LogOutputChannel, thrown: unknown): void {
  const trouble = troubleOf(thrown);
  if (trouble.kind !== 'server-dead' && trouble.kind !== 'server-died') sayFailed(log, thrown);
}

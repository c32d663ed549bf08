import { commands, Disposable, type ExtensionContext, type LogOutputChannel, window, workspace } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import type { HubCacheProgress } from '../shared/job-events';
import {
  BatchesChanged,
  BatchProgressed,
  EngineInstallProgressed,
  GenerationNoticed,
  GenerationPreviewed,
  GenerationProgressed,
  GetCredential,
  HubCacheChanged,
  HubCacheProgressed,
  ListCredentialAliases,
  ManifestsInView,
  ModelsChanged,
  PublishProgressed,
  PullProgressed,
  StoresChanged,
  TrustGranted,
  VerifyProgressed
} from '../shared/protocol';
import { BatchList } from './batch/batch-list';
import { JobsTree } from './batch/jobs-tree';
import { registerCommands } from './commands';
import { CredentialVault } from './credentials/credential-vault';
import { ENGINE_JOB } from './engine/install-engine';
import { RememberedSampling } from './generate/remembered-sampling';
import { CacheList } from './huggingface/cache-list';
import { CacheTree } from './huggingface/cache-tree';
import { startForOpenManifests } from './manifests/open-manifests';
import { WorkspaceManifests } from './manifests/workspace-manifests';
import { followPullsInContexts } from './models/job-contexts';
import {
  batchProgress,
  generationProgress,
  hubCacheProgress,
  installProgress,
  publishProgress,
  pullProgress,
  verifyProgress
} from './models/job-progress';
import { ModelList } from './models/model-list';
import { PlanDocuments } from './models/plan-actions';
import { type JobProgress, RunningJobs } from './models/running-jobs';
import { showJobsInStatusBar } from './models/status-bar';
import { ModelTree } from './models/tree';
import { StoreListings } from './stores/store-listings';
import { StoreRows } from './stores/store-rows';
import { HUB_CACHE_VIEW, JOBS_VIEW, MODELS_VIEW, SERVER_DEAD } from './support/commands';
import { troubleOf } from './support/failures';
import { createLanguageClient } from './support/language-client';
import { followLiveSettings, sendLiveSettings } from './support/live-settings';
import { createLog } from './support/log';
import { sayFailed, sayServerDied, sayWarning } from './support/messages';
import { ServerConnection } from './support/server-connection';
import { listedStores } from './support/settings';
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
      listen(client, { models, cache, listings, batches, jobs });
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
  const batches = new BatchList(server);
  const plans = new PlanDocuments();
  const listings = new StoreListings(server);
  const isVisible = (): boolean => view.visible;
  const stores = new StoreRows(listings, jobs, { stores: listedStores, isVisible });
  const tree = new ModelTree(models, jobs, stores, {
    isVisible,
    onTrouble: (thrown) => reportUnlistable(log, thrown)
  });
  const view = window.createTreeView(MODELS_VIEW, { treeDataProvider: tree });
  const cacheTree = new CacheTree(cache, jobs, (thrown) => reportUnlistable(log, thrown));
  const cacheView = window.createTreeView(HUB_CACHE_VIEW, { treeDataProvider: cacheTree });
  const jobsTree = new JobsTree(batches, jobs, {
    isVisible: () => jobsView.visible,
    onTrouble: (thrown) => reportUnlistable(log, thrown)
  });
  const jobsView = window.createTreeView(JOBS_VIEW, { treeDataProvider: jobsTree });
  context.subscriptions.push(
    log,
    server,
    jobs,
    models,
    tree,
    view,
    listings,
    stores,
    view.onDidExpandElement(({ element }) => stores.setExpanded(element, true)),
    view.onDidCollapseElement(({ element }) => stores.setExpanded(element, false)),
    cache,
    cacheTree,
    cacheView,
    batches,
    jobsTree,
    jobsView,
    plans,
    manifests,
    showJobsInStatusBar(jobs),
    followPullsInContexts(jobs),
    followServer(server, { models, cache, listings, batches }),
    followManifests(server, manifests),
    startForOpenManifests(server),
    followTrust(server, listings, view),
    followLiveSettings(server),
    restartOnSettingsChange({ connection: server, jobs, log, beforeRestart: () => manifests.search() }),
    registerCommands({
      connection: server,
      batches,
      cache,
      jobs,
      listings,
      log,
      models,
      manifests,
      plans,
      sampling: new RememberedSampling(),
      vault
    })
  );
}

/** Ends the server; pulls under way stay resumable. */
export async function deactivate(): Promise<void> {
  await connection?.stop();
}

/** What the server is asked for when somebody looks. */
interface Lists {
  readonly models: ModelList;
  readonly cache: CacheList;
  readonly listings: StoreListings;
  readonly batches: BatchList;
}

/** Nothing is attached twice: the handlers live and die with the client. */
function listen(
  client: LanguageClient,
  { models, cache, listings, batches, jobs }: Lists & { jobs: RunningJobs }
): void {
  client.onNotification(HubCacheChanged, () => cache.invalidate());
  client.onNotification(HubCacheProgressed, (progress) => showCacheProgress(jobs, progress));
  client.onNotification(ModelsChanged, () => models.invalidate());
  client.onNotification(BatchesChanged, () => batches.invalidate());
  client.onNotification(BatchProgressed, (event) => jobs.advance(event.file, 'batch', batchProgress(event)));
  client.onNotification(StoresChanged, () => listings.invalidate());
  client.onNotification(PublishProgressed, (event) => jobs.advance(event.model, 'publish', publishProgress(event)));
  client.onNotification(PullProgressed, (event) => {
    const progress = pullProgress(event);
    if (!progress) return;
    if (!jobs.of(event.model)) return showPullOfBatch(jobs, event.model, progress);
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
  client.onNotification(GenerationNoticed, ({ name, sentence }) => sayWarning(`${name}: ${sentence}`));
  client.onNotification(GenerationPreviewed, ({ name, png }) => jobs.showPreview(name, png));
}

/** A batch pulls the models that it needs before it begins; which one does can be told when only one runs. */
function showPullOfBatch(jobs: RunningJobs, model: string, { brief, detail }: JobProgress): void {
  const [batch, ...others] = jobs.all().filter(({ kind }) => kind === 'batch');
  if (!batch || others.length > 0) return;
  jobs.advance(batch.model, 'batch', { brief: `pulling ${model} ${brief}`, detail: `pulling ${model}: ${detail}` });
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
function followServer(server: ServerConnection, { models, cache, listings, batches }: Lists): Disposable {
  return server.onDidChangeState((state) => {
    void commands.executeCommand('setContext', SERVER_DEAD, state === 'dead');
    if (state === 'dead') sayServerDied();
    if (state === 'starting') return;
    models.invalidate();
    cache.invalidate();
    listings.invalidate();
    batches.invalidate();
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

function followTrust(server: ServerConnection, listings: StoreListings, view: { message?: string }): Disposable {
  view.message = workspace.isTrusted ? '' : 'Restricted Mode: models are listed and checked, but not pulled or run.';
  return workspace.onDidGrantWorkspaceTrust(() => {
    view.message = '';
    void server.runningClient()?.sendNotification(TrustGranted);
    listings.invalidate();
  });
}

/** A dead server already has its message; the view shows the way out. */
function reportUnlistable(log: LogOutputChannel, thrown: unknown): void {
  const trouble = troubleOf(thrown);
  if (trouble.kind !== 'server-dead' && trouble.kind !== 'server-died') sayFailed(log, thrown);
}

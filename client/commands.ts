import { commands, Disposable, type Uri } from 'vscode';
import type { ModelSummary } from '../shared/model';
import type { BatchParts } from './batch/batch-actions';
import { registerBatchCommands } from './batch/batch-commands';
import { removeCredential, storeCredential } from './credentials/ask-credential';
import type { CredentialVault } from './credentials/credential-vault';
import { chooseEngine, installEngine } from './engine/install-engine';
import { copyCommandLine } from './generate/copy-command-line';
import { type GenerateParts, generate } from './generate/generate';
import { generateFromImage } from './generate/generate-from-image';
import { generateLike } from './generate/generate-like';
import { openGeneratedImage } from './generate/open-image';
import { unloadResident } from './generate/unload-resident';
import { upscaleImage } from './generate/upscale-image';
import {
  type CacheParts,
  dropCached,
  healCached,
  openOnHub,
  pruneCache,
  revealCached,
  verifyCached
} from './huggingface/cache-actions';
import { type CacheNode, type CacheTarget, referenceOf } from './huggingface/cache-node';
import { explainManifest } from './manifests/explain-manifest';
import { makeManifestFromFolder, makeManifestFromHub } from './manifests/make-manifest';
import type { WorkspaceManifests } from './manifests/workspace-manifests';
import { convert, convertAgain } from './models/convert-model';
import { freeSpace } from './models/free-space';
import { discardPartial, drop, heal, openManifest, revealFolder, verify } from './models/model-actions';
import type { ModelNode } from './models/model-node';
import { type PlanDocuments, showPlan } from './models/plan-actions';
import { pausePull, pull, resumePull } from './models/pull-actions';
import { publish } from './stores/publish';
import type { StoreParts } from './stores/store-actions';
import { registerStoreCommands } from './stores/store-commands';
import { COMMANDS } from './support/commands';
import { sayFailed } from './support/messages';

/** What the commands work with. */
export interface CommandParts extends GenerateParts, CacheParts, StoreParts, BatchParts {
  readonly manifests: WorkspaceManifests;
  readonly vault: CredentialVault;
  readonly plans: PlanDocuments;
}

/** Registers every command of ours. They exist whatever the server does; a dead one is answered with a sentence. */
export function registerCommands(parts: CommandParts): Disposable {
  const { cache, connection, jobs, log, manifests, models, plans, vault } = parts;
  return Disposable.from(
    commands.registerCommand(COMMANDS.generate, (target?: ModelNode | string) =>
      generate(parts, typeof target === 'string' ? target : target?.model.name)
    ),
    commands.registerCommand(COMMANDS.generateFromImage, (uri?: Uri) => generateFromImage(parts, uri)),
    commands.registerCommand(COMMANDS.upscaleImage, (target?: Uri | ModelNode) =>
      target && 'kind' in target ? upscaleImage(parts, undefined, target.model.name) : upscaleImage(parts, target)
    ),
    commands.registerCommand(COMMANDS.generateLike, (uri?: Uri) => generateLike(parts, uri)),
    commands.registerCommand(COMMANDS.openImage, () => openGeneratedImage(parts)),
    commands.registerCommand(COMMANDS.copyCommandLine, (uri?: Uri) => copyCommandLine(parts, uri)),
    commands.registerCommand(COMMANDS.refreshModels, async () => {
      await manifests.search();
      models.invalidate();
    }),
    onModelOrName(COMMANDS.pullModel, parts, (model) => pull(parts, model)),
    onModel(COMMANDS.showPlan, ({ model }) => showPlan(parts, plans, model)),
    commands.registerCommand(COMMANDS.pausePull, (node?: ModelNode) => pausePull(parts, node?.model.name)),
    commands.registerCommand(COMMANDS.resumePull, (node?: ModelNode) => resumePull(parts, node?.model.name)),
    onModelOrName(COMMANDS.verifyModel, parts, (model) => verify(parts, model)),
    commands.registerCommand(COMMANDS.freeSpace, () => freeSpace(parts)),
    commands.registerCommand(COMMANDS.unloadResident, () => unloadResident(parts)),
    onModelOrName(COMMANDS.publishModel, parts, (model) => publish(parts, model)),
    registerStoreCommands(parts),
    registerBatchCommands(parts),
    onModel(COMMANDS.healModel, ({ model }) => heal(parts, model)),
    onModel(COMMANDS.convertModel, ({ model }) => convert(parts, model)),
    onModel(COMMANDS.convertAgain, ({ model }) => convertAgain(parts, model)),
    onModel(COMMANDS.dropModel, ({ model }) => drop(parts, model)),
    onModel(COMMANDS.discardPartial, ({ model }) => discardPartial(parts, model)),
    onModel(COMMANDS.cancelJob, ({ model }) => jobs.cancel(model.name)),
    onModel(COMMANDS.revealFolder, ({ model }) => revealFolder(model)),
    onModel(COMMANDS.openManifest, ({ model }) => openManifest(model)),
    commands.registerCommand(COMMANDS.manifestFromFolder, (uri?: Uri) => makeManifestFromFolder(parts, uri)),
    commands.registerCommand(COMMANDS.manifestFromHub, (reference?: unknown) =>
      makeManifestFromHub(parts, typeof reference === 'string' ? reference : undefined)
    ),
    commands.registerCommand(COMMANDS.explainManifest, (uri?: Uri) => explainManifest(parts, uri)),
    commands.registerCommand(COMMANDS.refreshCache, () => cache.invalidate()),
    commands.registerCommand(COMMANDS.pruneCache, () => pruneCache(parts)),
    onCached(COMMANDS.verifyCached, (node) => verifyCached(parts, node)),
    onCached(COMMANDS.healCached, (node) => healCached(parts, node)),
    onCached(COMMANDS.dropCached, (node) => dropCached(parts, node)),
    onCached(COMMANDS.cancelCached, (node) => jobs.cancel(referenceOf(node))),
    commands.registerCommand(COMMANDS.revealCached, (node?: CacheNode) => node && revealCached(node)),
    commands.registerCommand(COMMANDS.openOnHub, (node?: CacheNode) => node && openOnHub(node)),
    commands.registerCommand(COMMANDS.installEngine, () => installEngine(parts)),
    commands.registerCommand(COMMANDS.chooseEngine, () => chooseEngine(parts)),
    commands.registerCommand(COMMANDS.storeCredential, () => storeCredential(vault)),
    commands.registerCommand(COMMANDS.removeCredential, () => removeCredential(vault)),
    commands.registerCommand(COMMANDS.restartServer, async () => {
      try {
        await connection.restart();
      } catch (error) {
        sayFailed(log, error);
      }
    }),
    commands.registerCommand(COMMANDS.showLog, () => log.show())
  );
}

/** A command of the tree's items; a key binding runs it without one, and then there is nothing to do. */
function onModel(id: string, run: (node: ModelNode) => unknown): Disposable {
  return commands.registerCommand(id, (node?: ModelNode) => (node ? run(node) : undefined));
}

/** A command of the cache's repositories and revisions. */
function onCached(id: string, run: (node: CacheTarget) => unknown): Disposable {
  return commands.registerCommand(id, (node?: CacheTarget) => (node ? run(node) : undefined));
}

/** A command of the tree's items and of the lenses in a manifest, which only know the model's name. */
function onModelOrName(id: string, { models, log }: CommandParts, run: (model: ModelSummary) => unknown): Disposable {
  return commands.registerCommand(id, async (target?: ModelNode | string) => {
    if (typeof target !== 'string') return target ? run(target.model) : undefined;
    try {
      const model = (await models.read()).find(({ name }) => name === target);
      return model && (await run(model));
    } catch (error) {
      return sayFailed(log, error);
    }
  });
}

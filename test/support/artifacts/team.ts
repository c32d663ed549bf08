import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ServiceOptions, Services } from '../../../server/operations/services';
import { fetchModel } from '../../../server/operations/stores/fetch-model';
import { publishModel } from '../../../server/operations/stores/publish-model';
import type { PullEvent } from '../../../shared/job-events';
import { type ModelName, parseModelName } from '../../../shared/model-name';
import type { FetchResult, PublishProgress, PublishResult } from '../../../shared/publication';
import { temporaryFolder } from '../temporary-folder';
import { pullManifest, type TestServices, testServices, writeManifest } from '../test-services';

/** The team's model. */
export const TINY = nameOf('tiny');

function nameOf(text: string): ModelName {
  const name = parseModelName(text);
  if (!name) throw new Error(`${text} is no name`);
  return name;
}

/** What a model in a test consists of: contents by file name. */
export type ModelFiles = Readonly<Record<string, string>>;

/** Two files, of which the first has a role that its name does not tell. */
export const FILES: ModelFiles = { 'weights.gguf': 'some weights', 'first.gguf': 'a decoder' };

const ROLES: Readonly<Record<string, string>> = { 'weights.gguf': 'diffusion_model', 'first.gguf': 'vae' };

/** Fields of the models of a team, besides their files. */
const FACTS = {
  name: TINY,
  source: 'hf:owner/tiny',
  revision: 'main',
  task: 'text-to-image',
  license: 'mit',
  defaults: { width: 64, height: 64, steps: 4 }
};

/** A member of the team, with a cache of their own. */
export function member(options: Partial<ServiceOptions> = {}): Promise<TestServices> {
  return testServices(options);
}

/** A member who has a model installed. */
export async function memberWith(files: ModelFiles = FILES, fields: object = {}): Promise<TestServices> {
  const services = await member();
  await install(services, files, fields);
  return services;
}

/** Installs a model, or another version of it. */
export async function install(services: Services, files: ModelFiles, fields: object = {}): Promise<void> {
  const folder = await temporaryFolder();
  const entries = Object.entries(files).map(async ([filename, text]) => {
    const path = join(folder, filename);
    await writeFile(path, text);
    return { filename, url: pathToFileURL(path).href, sha256: sha256(text), role: ROLES[filename] ?? 'lora' };
  });
  await pullManifest(services, await writeManifest(await Promise.all(entries), { ...FACTS, ...fields }));
}

/** A fresh folder as a team store: its address and its path. */
export async function sharedFolder(): Promise<{ readonly url: string; readonly path: string }> {
  const path = join(await temporaryFolder(), 'team');
  return { url: pathToFileURL(path).href, path };
}

export interface JobOptions {
  readonly signal?: AbortSignal;
  readonly replace?: boolean;
  readonly onEvent?: (event: PullEvent) => void;
  readonly onProgress?: (progress: PublishProgress) => void;
}

/** Publishes the team's model. */
export function publish(services: Services, store: string, options: JobOptions = {}): Promise<PublishResult> {
  const { signal = new AbortController().signal, onProgress = () => undefined } = options;
  return publishModel(services, { name: FACTS.name, store }, { signal, onProgress });
}

/** Fetches the team's model. */
export function fetchTiny(services: Services, store: string, options: JobOptions = {}): Promise<FetchResult> {
  const { signal = new AbortController().signal, onEvent = () => undefined, replace = false } = options;
  return fetchModel(services, { name: FACTS.name, store, replace }, { signal, onEvent });
}

/** What is installed as the team's model: contents by path, without the manifest. */
export async function installedFiles({ root }: Services): Promise<ModelFiles> {
  const { 'manifest.json': _, ...files } = await filesBelow(join(root, 'models', FACTS.name));
  return files;
}

/** What the bundle's manifest says. */
export async function installedManifest({ root }: Services): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(root, 'models', FACTS.name, 'manifest.json'), 'utf8'));
}

/** Every file below a folder, by its path with `/`; nothing when the folder is not there. */
export async function filesBelow(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const contents = files.map(async (path) => [relative(folder, path), await readFile(path, 'utf8')] as const);
  return Object.fromEntries((await Promise.all(contents)).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

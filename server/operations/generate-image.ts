import { randomInt } from 'node:crypto';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../shared/failure';
import {
  type GeneratedImage,
  type GenerationRequest,
  type GenerationResult,
  generationRequest
} from '../../shared/generation';
import type { GenerationProgress } from '../../shared/job-events';
import type { GenerationDefaults } from '../../shared/manifest/generation-defaults';
import type { InstalledManifest } from '../../shared/manifest/installed-manifest';
import type { RegisteredManifest } from '../../shared/manifest/registered-manifest';
import { generationArguments } from '../engine/arguments';
import { type EngineImage, type EngineResult, runEngine } from '../engine/run';
import { type Scratch, withScratch } from '../engine/scratch';
import { engineThreads } from '../engine/threads';
import { modelStatus } from '../registry/model-status';
import { engineInUse } from './engine/engine-in-use';
import { inspectImage } from './inspect-image';
import type { KnownModel } from './known-models';
import { requireNoSecret } from './no-secret';
import type { Services } from './services';
import { requireTrust } from './trust';
import { notInstalled } from './verify-model';

export interface GenerateOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: GenerationProgress) => void;
}

/** Seeds that are drawn lie below this; they are easy to read and to type. */
const SEED_LIMIT = 2 ** 32;

/** The name of the output within the scratch folder; the gallery gives the final one. */
const OUTPUT = 'image.png';

/**
 * Generates an image with an installed model and puts it into the gallery. Every image is decoded and checked first.
 * @throws Failure
 */
export async function generateImage(
  services: Services,
  model: KnownModel,
  request: GenerationRequest,
  { signal, onProgress }: GenerateOptions
): Promise<GenerationResult> {
  requireTrust(services, 'Generating images');
  const startedAt = services.clock.elapsed();
  const manifest = await soundManifest(services, model);
  const seed = request.seed ?? randomInt(SEED_LIMIT);
  const { path: enginePath, environment, abilities } = await engineInUse(services, { signal });
  const { version } = abilities;
  services.log.info('starting generation', { model: model.name, seed, engine: version });
  const onProblem = (sentence: string): void => services.log.warn(sentence);
  return withScratch(services.layout.scratch, onProblem, async (scratch) => {
    const result = await runEngine({
      enginePath,
      arguments: argumentsFor(services, model, manifest, { request, seed, scratch }),
      environment,
      scratch,
      output: OUTPUT,
      images: 1,
      seed,
      model: model.name,
      onProgress,
      readImage: (path) => inspectImage(services.pool, path, signal),
      signal
    });
    const images = await store(services, model, manifest, { request, result, version });
    const milliseconds = Math.round(services.clock.elapsed() - startedAt);
    services.log.info('done generation', { model: model.name, images: images.length, ms: milliseconds });
    return { model: model.name, images, warnings: result.warnings, milliseconds };
  });
}

/** Reads a request that came from outside. @throws Failure('bad-request') that names the field */
export function readGenerationRequest(raw: unknown): GenerationRequest {
  // A request is kept with its image, and images are shared.
  requireNoSecret(raw);
  const parsed = generationRequest.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || 'the request';
  throw new Failure('bad-request', `${field}: ${issue?.message ?? 'not valid'}.`, { subject: field });
}

/** @throws Failure unless the bundle is there, complete, and what the manifest in view asks for */
async function soundManifest({ survey }: Services, model: KnownModel): Promise<InstalledManifest> {
  const bundle = await survey.look(model.name);
  if (bundle.kind === 'absent') throw notInstalled(model);
  const { status, reason } = modelStatus(model.manifest, bundle, true);
  const subject = model.name;
  if (status === 'outdated')
    throw new Failure('outdated-model', `${model.name} is outdated. ${reason ?? ''}`.trim(), { subject });
  if (bundle.kind === 'present' && status === 'installed') return bundle.manifest;
  throw new Failure('unhealthy-model', `${model.name} is damaged. ${reason ?? ''}`.trim(), {
    subject,
    nextStep: 'Pull the model again.'
  });
}

function argumentsFor(
  { layout }: Services,
  { name, manifest: source }: KnownModel,
  manifest: InstalledManifest,
  { request, seed, scratch }: { request: GenerationRequest; seed: number; scratch: Scratch }
): string[] {
  const [load = 0] = loadavg();
  return generationArguments({
    files: manifest.files.flatMap(({ path, role }) => (role ? [{ role, path: join(layout.model(name), path) }] : [])),
    defaults: defaultsOf(source, manifest),
    request,
    seed,
    images: 1,
    threads: engineThreads(availableParallelism(), load),
    output: OUTPUT,
    emptyFolder: scratch.emptyFolder
  });
}

async function store(
  { images: gallery, clock }: Services,
  { name, manifest: source }: KnownModel,
  manifest: InstalledManifest,
  { request, result, version }: { request: GenerationRequest; result: EngineResult; version: string }
): Promise<GeneratedImage[]> {
  const digests = Object.fromEntries(manifest.files.map(({ path, sha256 }) => [path, sha256]));
  const put = async ({ path, width, height, seed }: EngineImage): Promise<GeneratedImage> => {
    const stored = await gallery.put(
      { path },
      {
        width,
        height,
        label: request.prompt,
        created_at_unix_ms: clock.now(),
        request: { ...defaultsOf(source, manifest), ...request, seed },
        seed,
        model: { name, digests },
        engine: { version }
      }
    );
    return { id: stored.id, path: stored.path, width, height, bytes: stored.sidecar.byte_length, seed };
  };
  return Promise.all(result.images.map(put));
}

/** Defaults are no content: a change in the manifest counts at once, without another pull. */
function defaultsOf(source: RegisteredManifest, installed: InstalledManifest): GenerationDefaults {
  return source.defaults ?? installed.defaults ?? {};
}

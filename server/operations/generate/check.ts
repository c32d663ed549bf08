import { Failure } from '../../../shared/failure';
import { type GenerationRequest, generationRequest } from '../../../shared/generation';
import type { GenerationDefaults } from '../../../shared/manifest/generation-defaults';
import type { InstalledManifest } from '../../../shared/manifest/installed-manifest';
import type { ModelName } from '../../../shared/model-name';
import type { EngineFile } from '../../engine/arguments/engine-file';
import { modelStatus } from '../../registry/model-status';
import { isMadeHere, madeHereFailure } from '../convert/made-here';
import type { KnownModel } from '../models/known-models';
import { requireNoSecret } from '../no-secret';
import type { Services } from '../services';
import { notInstalled } from '../verify-and-heal/verify-model';
import { readFiles } from './read-files';

/** An installed model that is complete and what its manifest asks for. */
export interface SoundModel {
  readonly name: ModelName;
  readonly manifest: InstalledManifest;
  /** The files that are something to the engine. */
  readonly files: readonly EngineFile[];
  readonly defaults: GenerationDefaults;
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

/** @throws Failure unless the bundle is there, complete, sound, and what the manifest in view asks for */
export async function soundModel(services: Services, model: KnownModel): Promise<SoundModel> {
  const { name, manifest: source } = model;
  const bundle = await services.survey.look(name);
  if (bundle.kind === 'absent') throw notInstalled(model);
  const { status, reason } = modelStatus(source, bundle, true);
  if (status === 'outdated')
    throw new Failure('outdated-model', `${name} is outdated. ${reason ?? ''}`.trim(), { subject: name });
  if (bundle.kind !== 'present' || status !== 'installed') {
    const sentence = `${name} is damaged. ${reason ?? ''}`.trim();
    if (isMadeHere(model)) throw madeHereFailure('unhealthy-model', sentence, model);
    throw new Failure('unhealthy-model', sentence, {
      subject: name,
      nextStep: 'Pull the model again.'
    });
  }
  const { manifest } = bundle;
  return {
    name,
    manifest,
    files: await readFiles(services, name, manifest),
    // Defaults are no content: a change in the manifest counts at once, without another pull.
    defaults: source.defaults ?? manifest.defaults ?? {}
  };
}

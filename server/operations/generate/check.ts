import { join } from 'node:path';
import { Failure } from '../../../shared/failure';
import { type GenerationRequest, generationRequest } from '../../../shared/generation';
import type { GenerationDefaults } from '../../../shared/manifest/generation-defaults';
import type { InstalledManifest } from '../../../shared/manifest/installed-manifest';
import type { EngineFile } from '../../engine/arguments/engine-file';
import { modelStatus } from '../../registry/model-status';
import type { KnownModel } from '../known-models';
import { requireNoSecret } from '../no-secret';
import type { Services } from '../services';
import { notInstalled } from '../verify-model';

/** An installed model that is complete and what its manifest asks for. */
export interface SoundModel {
  readonly name: string;
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

/** @throws Failure unless the bundle is there, complete, and what the manifest in view asks for */
export async function soundModel(services: Services, model: KnownModel): Promise<SoundModel> {
  const { survey } = services;
  const { name, manifest: source } = model;
  const bundle = await survey.look(name);
  if (bundle.kind === 'absent') throw notInstalled(model);
  const { status, reason } = modelStatus(source, bundle, true);
  if (status === 'outdated')
    throw new Failure('outdated-model', `${name} is outdated. ${reason ?? ''}`.trim(), { subject: name });
  if (bundle.kind !== 'present' || status !== 'installed') {
    throw new Failure('unhealthy-model', `${name} is damaged. ${reason ?? ''}`.trim(), {
      subject: name,
      nextStep: 'Pull the model again.'
    });
  }
  const { manifest } = bundle;
  return {
    name,
    manifest,
    files: await engineFiles(services, name, manifest),
    // Defaults are no content: a change in the manifest counts at once, without another pull.
    defaults: source.defaults ?? manifest.defaults ?? {}
  };
}

/** With what their headers say. One after the other: each takes a handle and room for a header. */
async function engineFiles(
  { layout, weights }: Services,
  name: KnownModel['name'],
  { files }: InstalledManifest
): Promise<EngineFile[]> {
  const found: EngineFile[] = [];
  for (const { path: relative, role } of files) {
    if (!role) continue;
    const path = join(layout.model(name), relative);
    const reading = await weights.look(path);
    found.push({ role, path, ...(reading.kind === 'read' && { weights: reading.description }) });
  }
  return found;
}

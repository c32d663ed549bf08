import type { GeneratedImage } from '../../../shared/generation';
import type { EngineImage } from '../../engine/result-check';
import type { Services } from '../services';
import type { RunParts } from './prepare';

/** What an image was made of. */
export interface KeptParts extends Pick<RunParts, 'model' | 'request' | 'engine'> {
  /** What lists show; absent: the prompt. */
  readonly label?: string;
}

/** Puts the images of a run into the gallery, each with all that it takes to make it again. @throws Failure */
export function keepImages(
  { images: gallery, clock }: Services,
  { model: { name, manifest }, request, engine, label = request.prompt }: KeptParts,
  made: readonly EngineImage[]
): Promise<GeneratedImage[]> {
  const digests = Object.fromEntries(manifest.files.map(({ path, sha256 }) => [path, sha256]));
  const put = async ({ path, width, height, seed }: EngineImage): Promise<GeneratedImage> => {
    const stored = await gallery.put(
      { path },
      {
        width,
        height,
        label,
        created_at_unix_ms: clock.now(),
        request: { ...request, seed },
        seed,
        model: { name, digests },
        engine: { version: engine.abilities.version }
      }
    );
    return { id: stored.id, path: stored.path, width, height, bytes: stored.sidecar.byte_length, seed };
  };
  return Promise.all(made.map(put));
}

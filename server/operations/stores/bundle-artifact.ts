import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Digest, parseDigest } from '../../../shared/digest';
import { Failure } from '../../../shared/failure';
import { collisionKey } from '../../../shared/file-name';
import type { InstalledManifest } from '../../../shared/manifest/installed-manifest';
import type { ModelName } from '../../../shared/model-name';
import { factsText } from '../../artifacts/publications/artifact-facts';
import { combinedHash, sortedByName } from '../../artifacts/publications/artifact-files';
import { FACTS_FILE } from '../../artifacts/publications/publication-keys';
import type { ArtifactContent } from '../../artifacts/publications/upload-attempt';
import { exists } from '../../platform/durable-files';
import type { CacheLayout } from '../../store/cache-layout';
import { requireNoSecret } from '../no-secret';

/**
 * What a bundle consists of as an artifact, sorted by name: its files, and one that says what they are for.
 * @throws Failure for a bundle that cannot be one
 */
export async function artifactOfBundle(
  layout: CacheLayout,
  name: ModelName,
  installed: InstalledManifest
): Promise<readonly ArtifactContent[]> {
  const own = installed.files.find(({ path }) => collisionKey(path) === FACTS_FILE);
  if (own) {
    throw new Failure('bad-request', `${own.path} is a name that publications need for themselves.`, {
      subject: own.path,
      nextStep: 'Pull the model with another name for that file.'
    });
  }
  requireNoSecret(installed);
  const files = await Promise.all(
    installed.files.map(async ({ path, sha256, size_bytes }): Promise<ArtifactContent> => {
      // A stored content stays as it is for as long as somebody relies on it, whatever becomes of the bundle.
      const blob = layout.blob(sha256);
      const place = (await exists(blob)) ? blob : join(layout.model(name), path);
      const content = { kind: 'file', path: place, bytes: size_bytes, digest: sha256 } as const;
      return { name: path, digest: sha256, bytes: size_bytes, content };
    })
  );
  return sortedByName([...files, factsOf(installed)]);
}

/** The combined hash that a bundle would be published with. */
export function combinedHashOf(installed: InstalledManifest): Digest {
  const files = installed.files.map(({ path, sha256, size_bytes }) => ({
    name: path,
    digest: sha256,
    bytes: size_bytes
  }));
  return combinedHash([...files, factsOf(installed)]);
}

function factsOf(installed: InstalledManifest): ArtifactContent {
  const bytes = Buffer.from(factsText(installed));
  const digest = parseDigest(createHash('sha256').update(bytes).digest('hex'));
  if (!digest) throw new Error('a SHA-256 is one');
  return { name: FACTS_FILE, digest, bytes: bytes.length, content: { kind: 'bytes', bytes } };
}

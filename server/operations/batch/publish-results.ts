import { parse } from 'node:path';
import { Failure } from '../../../shared/failure';
import type { GeneratedImage } from '../../../shared/generation';
import { MOST_FILES } from '../../../shared/manifest/source-manifest';
import { type ModelName, modelNameProblem, parseModelName } from '../../../shared/model-name';
import type { PublishProgress, PublishResult } from '../../../shared/publication';
import type { ItemResult, Progress } from '../../artifacts/checkpoints/progress';
import { readPointer, requireSameKind } from '../../artifacts/publications/pointer';
import { publishArtifact } from '../../artifacts/publications/publish-artifact';
import { type ArtifactContent, bytesOf } from '../../artifacts/publications/upload-attempt';
import { digestOf, parseImageId } from '../../gallery/incoming-image';
import { formatSidecar } from '../../gallery/sidecar';
import { Throttle } from '../../platform/throttle';
import type { Services } from '../services';
import { RESULTS_FILE } from '../stores/result-files';
import { type BatchItem, itemCount } from './expand';
import { imageName } from './export-batch';
import type { JobParts, OpenJob } from './open-job';

/** The most items whose results are published: each may have an image and its description. */
const MOST_PUBLISHED = Math.floor((MOST_FILES - 1) / 2);

/**
 * Looks before the first image is made whether results can be published in the end.
 * @throws Failure that says why not
 */
export async function requirePublishable({
  store,
  file,
  options: { signal }
}: Pick<JobParts, 'store' | 'file'> & {
  readonly options: Pick<JobParts['options'], 'signal'>;
}): Promise<void> {
  const name = nameOf(file);
  const items = itemCount(file.definition);
  if (items > MOST_PUBLISHED) {
    throw new Failure(
      'bad-request',
      `The batch has ${items} items; results of at most ${MOST_PUBLISHED} are published.`,
      {
        subject: file.path,
        nextStep: 'Split it into several.'
      }
    );
  }
  requireSameKind(store, (await readPointer(store, name, signal))?.pointer, 'results');
}

/**
 * Publishes what a job came to under its name: its images, their descriptions, and a file that says which item each is
 * of. The same results again change nothing.
 * @param images by item, from 0; in the gallery
 * @throws Failure; readers then have what was published before
 */
export async function publishResults(
  { services, store, file, options: { signal, onEvent } }: JobParts,
  { items }: Pick<OpenJob, 'items'>,
  { results }: Progress,
  images: ReadonlyMap<number, GeneratedImage>
): Promise<PublishResult> {
  const name = nameOf(file);
  const contents: ArtifactContent[] = [];
  for (const [index, image] of images)
    contents.push(...(await filesOf(services, imageName(items, index, image), image)));
  const entries = items.map((item, index) =>
    entryOf(item, { index, items, result: results[index], image: images.get(index) })
  );
  const text = `${JSON.stringify({ version: 1, job: file.name, items: entries }, null, 2)}\n`;
  contents.push(textFile(RESULTS_FILE, text));
  const bytes = bytesOf(contents);
  const throttle = new Throttle((progress: PublishProgress) => onEvent({ type: 'publishing', progress }));
  try {
    const published = await publishArtifact(store, name, contents, {
      holds: 'results',
      now: services.clock.now,
      log: services.log,
      signal,
      onProgress: (phase, sent) => throttle.offer({ model: name, store: store.label, phase, bytes: sent, total: bytes })
    });
    return { model: name, store: store.label, bytes, ...published };
  } finally {
    throttle.stop();
  }
}

/** @throws Failure('bad-request') when a publication cannot be called what the job is */
function nameOf({ name, path }: JobParts['file']): ModelName {
  const parsed = parseModelName(name);
  if (parsed) return parsed;
  const problem = modelNameProblem(name) ?? '';
  throw new Failure('bad-request', `Results are published under the name of the job, but “${name}” ${problem}.`, {
    subject: path,
    nextStep: 'Name the job with letters, digits and hyphens.'
  });
}

/** An image and its description. */
async function filesOf(
  { images }: Pick<Services, 'images'>,
  name: string,
  { id, path, bytes }: GeneratedImage
): Promise<readonly ArtifactContent[]> {
  const digest = parseImageId(id);
  const { sidecar } = await images.get(id);
  return [
    { name, digest, bytes, content: { kind: 'file', path, bytes, digest } },
    textFile(descriptionName(name), formatSidecar(sidecar))
  ];
}

function descriptionName(image: string): string {
  return `${parse(image).name}.json`;
}

function textFile(name: string, text: string): ArtifactContent {
  const bytes = Buffer.from(text);
  return { name, digest: digestOf(bytes), bytes: bytes.length, content: { kind: 'bytes', bytes } };
}

interface Outcome {
  readonly index: number;
  readonly items: readonly BatchItem[];
  readonly result: ItemResult | undefined;
  readonly image: GeneratedImage | undefined;
}

/** What the file of the results says of an item. */
function entryOf({ model, prompt, seed, options }: BatchItem, { index, items, result, image }: Outcome): unknown {
  const asked = { item: index + 1, model, prompt, seed, options };
  if (image) {
    const file = imageName(items, index, image);
    return { ...asked, file, sha256: image.id, description: descriptionName(file) };
  }
  if (result?.kind !== 'failed') throw new Error('an item of a job that is over has a result');
  const { code, message } = result.failure;
  return { ...asked, failure: { code, message } };
}

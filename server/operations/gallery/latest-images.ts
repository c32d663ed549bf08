import type { ListedImage } from '../../gallery/images';
import type { Services } from '../services';

/** Everything in the gallery, the latest image first and what cannot be read last. @throws Failure 'file-access' */
export async function latestImages({ images }: Pick<Services, 'images'>): Promise<readonly ListedImage[]> {
  return (await images.list()).toSorted((one, other) => madeAt(other) - madeAt(one));
}

function madeAt(entry: ListedImage): number {
  return entry.kind === 'whole' ? entry.image.sidecar.created_at_unix_ms : 0;
}

import type { Connection } from 'vscode-languageserver';
import type { GalleryImage } from '../../shared/gallery-image';
import {
  ChoicesOfModel,
  CommandOfImage,
  FindRequest,
  GenerationProgressed,
  ListImages,
  UpscaleImage
} from '../../shared/protocol';
import type { StoredImage } from '../gallery/images';
import { commandOfImage } from '../operations/gallery/command-of-image';
import { imageOfFile } from '../operations/gallery/find-image';
import { latestImages } from '../operations/gallery/latest-images';
import { requestOfFile } from '../operations/gallery/request-of-file';
import { choicesOfModel } from '../operations/generate/choices-of-model';
import { upscaleImage } from '../operations/generate/upscale-image';
import { findModel } from '../operations/models/known-models';
import type { Services } from '../operations/services';
import { guarded } from './guarded';
import { noticed } from './noticed';

/** Maps every request about images onto its operation. */
export function serveImages(connection: Connection, services: Services): void {
  connection.onRequest(
    FindRequest,
    guarded('reading an image', services, ({ path }) => requestOfFile(services, path))
  );
  connection.onRequest(
    UpscaleImage,
    guarded('enlarging', services, async ({ name, path, timeLimitMinutes }, signal) => {
      const model = await findModel(services, name);
      return noticed(connection, name, (onNotice) =>
        upscaleImage(services, model, path, {
          signal,
          timeLimitMinutes,
          onNotice,
          onProgress: (progress) => void connection.sendNotification(GenerationProgressed, progress)
        })
      );
    })
  );
  connection.onRequest(
    ChoicesOfModel,
    guarded('choices for a model', services, async ({ name }, signal) =>
      choicesOfModel(services, await findModel(services, name), signal)
    )
  );
  connection.onRequest(ListImages, (token) =>
    guarded('listing images', services, () => listImages(services))(undefined, token)
  );
  connection.onRequest(
    CommandOfImage,
    guarded('command of an image', services, async ({ path, program, shell }) =>
      commandOfImage(services, await imageOfFile(services, path), { program, shell })
    )
  );
}

async function listImages(services: Services): Promise<GalleryImage[]> {
  return (await latestImages(services)).flatMap((entry) => (entry.kind === 'whole' ? [listed(entry.image)] : []));
}

function listed({ path, sidecar }: StoredImage): GalleryImage {
  const { label, model, width, height, frames, created_at_unix_ms: createdAtUnixMs } = sidecar;
  return { path, label, model: model.name, width, height, frames, createdAtUnixMs };
}

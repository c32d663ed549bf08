import type { Connection } from 'vscode-languageserver';
import { CommandOfImage, FindRequest } from '../../shared/protocol';
import { commandOfImage } from '../operations/gallery/command-of-image';
import { imageOfFile } from '../operations/gallery/find-image';
import { requestOfFile } from '../operations/gallery/request-of-file';
import type { Services } from '../operations/services';
import { guarded } from './guarded';

/** Maps every request about images onto its operation. */
export function serveImages(connection: Connection, services: Services): void {
  connection.onRequest(
    FindRequest,
    guarded('reading an image', services, ({ path }) => requestOfFile(services, path))
  );
  connection.onRequest(
    CommandOfImage,
    guarded('command of an image', services, async ({ path, program, shell }) =>
      commandOfImage(services, await imageOfFile(services, path), { program, shell })
    )
  );
}

import { parentPort } from 'node:worker_threads';
import { readPngFile } from './gallery/png-file';
import { INSPECT_IMAGE_TASK, inspectImageInput } from './operations/inspect-image';
import { HASH_PARTS_TASK, hashPartsTask } from './platform/workers/hash-parts-task';
import { HASH_TASK, hashTask } from './platform/workers/hash-task';
import { serveTasks } from './platform/workers/serve-tasks';

/** The worker thread: hashes files and decodes images, so that the server's main thread stays free. */
if (parentPort) {
  serveTasks(parentPort, {
    [HASH_TASK]: hashTask,
    [HASH_PARTS_TASK]: hashPartsTask,
    [INSPECT_IMAGE_TASK]: async (input) => {
      const { width, height } = await readPngFile(inspectImageInput.parse(input).path);
      return { width, height };
    }
  });
}

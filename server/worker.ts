import { parentPort, workerData } from 'node:worker_threads';
import { TAKE_IMAGE_TASK, takeImage } from './engine/inputs/take-image';
import { examinePngFile } from './gallery/png/png-file';
import { INSPECT_IMAGE_TASK } from './operations/gallery/inspect-image';
import { HASH_PARTS_TASK, hashPartsTask } from './platform/workers/hash-parts-task';
import { HASH_TASK, hashTask } from './platform/workers/hash-task';
import { serveTasks } from './platform/workers/serve-tasks';
import type { NetworkSettings } from './pull/network/network-messages';
import { serveNetwork } from './pull/network/serve-network';

/** Given to the network thread alone. */
const network: NetworkSettings | null = workerData;

/**
 * A worker thread, so that the server's main thread stays free: the one that receives from the network, or one that
 * hashes files and decodes images.
 */
if (parentPort && network) serveNetwork(parentPort, network);
else if (parentPort) {
  serveTasks(parentPort, {
    [HASH_TASK]: hashTask,
    [HASH_PARTS_TASK]: hashPartsTask,
    [TAKE_IMAGE_TASK]: takeImage,
    [INSPECT_IMAGE_TASK]: examinePngFile
  });
}

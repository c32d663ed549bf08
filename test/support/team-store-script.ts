import { createHash } from 'node:crypto';
import { FileStore } from '../../server/artifacts/file-store/file-store';
import { storeKey } from '../../server/artifacts/store-key';
import { createHasher } from '../../server/platform/hasher';
import { WorkerPool } from '../../server/platform/workers/worker-pool';

const { signal } = new AbortController();

/**
 * A process that works in the store of a folder: `FOLDER NAME WORKER`. Without end it puts an object `NAME-n`, adds its
 * name and digest as a line to the document `_list`, and prints that line.
 */
async function main([folder = '', name = '', worker = '']: readonly string[]): Promise<void> {
  const store = new FileStore(folder, createHasher(new WorkerPool(worker)));
  const list = storeKey({ reserved: '_list' });
  for (let number = 0; ; number += 1) {
    const bytes = Buffer.alloc(200_000 + number, `${name}-${number} `);
    const line = `${name}-${number} ${createHash('sha256').update(bytes).digest('hex')}`;
    await store.put(storeKey('objects', `${name}-${number}`), { kind: 'bytes', bytes }, { signal });
    for (let isAdded = false; !isAdded; ) {
      const current = await store.readDocument(list, { signal, limit: 10_000_000 });
      const text = `${Buffer.from(current?.bytes ?? []).toString()}${line}\n`;
      const version = await store.swapDocument(list, Buffer.from(text), current?.version ?? null, signal);
      isAdded = version !== undefined;
    }
    console.log(line);
  }
}

void main(process.argv.slice(2));

import { createCipheriv } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startModelServer } from '../../../scripts/model-server.mjs';
import { sha256 } from '../sample-bytes';

/** The files of one version of a model, by name. */
export type ModelFiles = ReadonlyMap<string, Buffer>;

/** A server of model files that counts what it sends. */
export interface PullSite {
  /** Writes the files of a version and a manifest for them. @returns the manifest's path */
  publish(version: string, files: ModelFiles, options?: PublishOptions): Promise<string>;
  /** Bytes of bodies that were sent since the last reset. */
  readonly sentBytes: number;
  /** The most answers that were under way at once since the last reset. */
  readonly mostConnections: number;
  /** Answers that the client did not take to their end since the last reset. */
  readonly cutConnections: number;
  reset(): void;
  /** Resolves when no answer is under way. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export interface PublishOptions {
  /** Name of the model; without it all versions are of the same. */
  readonly name?: string;
  /** Whether the manifest says nothing of sizes and digests. */
  readonly undeclared?: boolean;
}

/** The model that all versions are of. */
export const PULLED_MODEL = 'pulled-model';

const ROLES = ['model', 'vae', 'clip_l', 't5xxl', 'lora'];

export interface SiteOptions {
  /** Limit for each connection. */
  readonly bytesPerSecond?: number | undefined;
  /** Whether it does not tell sizes before the transfer. */
  readonly refusesHead?: boolean;
}

/** @param folder absolute path */
export async function startPullSite(
  folder: string,
  { bytesPerSecond, refusesHead = false }: SiteOptions = {}
): Promise<PullSite> {
  let sentBytes = 0;
  let connections = 0;
  let mostConnections = 0;
  let cutConnections = 0;
  const ends = new EventEmitter();
  const server = await startModelServer({
    folder,
    ...(bytesPerSecond !== undefined && { bytesPerSecond }),
    onRequest(request, response) {
      // Whoever asked was killed before its file was found; nothing tells of its end any more.
      if (response.closed) return undefined;
      if (refusesHead && request.method === 'HEAD') return response.writeHead(405).end();
      const write = response.write.bind(response);
      connections += 1;
      mostConnections = Math.max(mostConnections, connections);
      response.once('close', () => {
        connections -= 1;
        if (!response.writableFinished) cutConnections += 1;
        if (connections === 0) ends.emit('idle');
      });
      response.write = ((chunk: Buffer, ...rest: []) => {
        sentBytes += chunk.length;
        return write(chunk, ...rest);
      }) as typeof response.write;
      return undefined;
    }
  });
  return {
    async publish(version, files, { name = PULLED_MODEL, undeclared = false } = {}) {
      await mkdir(join(folder, version), { recursive: true });
      const entries = [...files].map(async ([filename, bytes], index) => {
        await writeFile(join(folder, version, filename), bytes);
        const declared = undeclared ? {} : { sha256: sha256(bytes), size_bytes: bytes.length };
        return { role: ROLES[index], url: `${server.origin}/${version}/${filename}`, filename, ...declared };
      });
      const manifest = join(folder, `${version}.json`);
      await writeFile(manifest, JSON.stringify({ name, revision: version, files: await Promise.all(entries) }));
      return manifest;
    },
    get sentBytes() {
      return sentBytes;
    },
    get mostConnections() {
      return mostConnections;
    },
    get cutConnections() {
      return cutConnections;
    },
    reset() {
      sentBytes = 0;
      cutConnections = 0;
      mostConnections = connections;
    },
    async idle() {
      if (connections > 0) await once(ends, 'idle');
    },
    close: () => server.close()
  };
}

/** Many bytes that look random and are the same at every run, made fast. */
export function manyBytes(length: number, seed: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(length));
}

import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cleanUpAfterCrashes } from '../../../server/operations/clean-up/start-up';
import { createServices, type Services } from '../../../server/operations/services';
import { CacheLayout } from '../../../server/store/cache-layout';
import { sharedPool, WORKER_SCRIPT } from '../built-worker';
import { type RawServer, respond, startRawServer } from '../raw-http-server';
import { sharedNetwork } from '../shared-network';
import { CONTENTS, DIGESTS, filesOf, MODELS, NAMES, type Name } from './world';

const ROLES: Readonly<Record<string, string>> = { 'unet.gguf': 'model', 'vae.gguf': 'vae', 'text.gguf': 'clip_l' };

const noLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Nothing that the next process cleans up after a crash may be in its way. */
const strictLog = {
  ...noLog,
  error: (text: string, fields = {}) => {
    throw new Error(`${text} ${JSON.stringify(fields)}`);
  }
};

/** The real parts over one cache root, opened again and again. */
export class CacheUnderTest {
  private constructor(
    /** Holds the cache root and the manifests. */
    readonly folder: string,
    readonly layout: CacheLayout,
    private readonly site: RawServer,
    private readonly onOpen: () => void,
    private opened: Services
  ) {}

  /** @param onOpen called before each opening, to become another process */
  static async create(folder: string, onOpen: () => void): Promise<CacheUnderTest> {
    const site = await startRawServer(({ path }, socket) => {
      const body = CONTENTS[Number(path.slice(1))]!;
      respond(socket, 200, { 'Content-Length': body.length }, body);
    });
    const layout = new CacheLayout(join(folder, 'root'));
    for (const name of NAMES) {
      for (const version of MODELS[name].keys()) await writeSourceManifest(folder, site.origin, name, version);
    }
    onOpen();
    return new CacheUnderTest(folder, layout, site, onOpen, servicesOver(layout));
  }

  get services(): Services {
    return this.opened;
  }

  manifest(name: Name, version: number): string {
    return manifestPath(this.folder, name, version);
  }

  /** Begins anew with what is on the disk, as the next process does. */
  async reopen(): Promise<void> {
    // What a crashed process still holds may never end.
    void this.opened.dispose().catch(() => undefined);
    this.onOpen();
    this.opened = servicesOver(this.layout);
    await cleanUpAfterCrashes({ ...this.opened, log: strictLog });
  }

  async close(): Promise<void> {
    void this.opened.dispose().catch(() => undefined);
    await this.site.close();
  }
}

function servicesOver(layout: CacheLayout): Services {
  const services = createServices({
    root: layout.root,
    policy: { allowInsecureHttp: false, allowPrivateHosts: false },
    isTrusted: () => true,
    workerScript: WORKER_SCRIPT,
    pool: sharedPool(),
    startNetwork: sharedNetwork,
    clock: { now: () => Date.now(), elapsed: () => performance.now(), sleep: async () => undefined },
    log: noLog,
    environment: { HF_HUB_CACHE: join(layout.root, 'no-hub-cache') }
  });
  // Files that were just written count as old ones, so that what is read of them is remembered.
  Object.assign(services.proofs, { now: () => Date.now() + 60_000 });
  return services;
}

const manifestPath = (folder: string, name: Name, version: number): string =>
  join(folder, 'manifests', `${name}-${version}`, 'manifest.json');

async function writeSourceManifest(folder: string, origin: string, name: Name, version: number): Promise<void> {
  const path = manifestPath(folder, name, version);
  const files = [...filesOf(name, version)].map(([filename, content]) => ({
    role: ROLES[filename],
    filename,
    url: `${origin}/${content}`,
    sha256: DIGESTS[content],
    size_bytes: CONTENTS[content]!.length
  }));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify({ name, revision: String(version), files }));
}

/** Writes over a file in place, under all its names. */
export async function overwrite(path: string, bytes: Buffer): Promise<void> {
  await chmod(path, 0o644);
  await writeFile(path, bytes);
}

/** Puts another file in the place of one. */
export async function replace(path: string, bytes: Buffer): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, bytes);
}

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { modelFromManifest } from '../../server/operations/models/register-model';
import { pullModel } from '../../server/operations/pull/pull-model';
import { createServices, type Services } from '../../server/operations/services';
import { fetchModel } from '../../server/operations/stores/fetch-model';
import { publishModel } from '../../server/operations/stores/publish-model';
import { messageOf } from '../../shared/failure';
import { dieAtCall } from './crash/die-at-call';
import { type HistoryLine, manifestPath, VERSIONS } from './history/history';
import { readWhole } from './history/read-whole';
import { Random } from './random';

/** The model that the members of this process publish and fetch. */
const MODEL = 'alpha';

const JOB = { signal: new AbortController().signal, onEvent: () => undefined, onProgress: () => undefined };

/**
 * Members of a team in a process of their own. `publish`: one publishes what is installed, and dies at a call if asked
 * to. `work`: several publish and fetch versions of one model again and again, each with a cache of its own, and what
 * they did is printed, one JSON document a line.
 */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      folder: { type: 'string', default: '' },
      home: { type: 'string', default: '' },
      store: { type: 'string', default: '' },
      worker: { type: 'string', default: '' },
      die: { type: 'string', default: '0' },
      seed: { type: 'string', default: '' },
      members: { type: 'string', default: '' },
      count: { type: 'string', default: '' }
    }
  });
  const { store, worker } = values;
  if (positionals[0] === 'publish') {
    const services = servicesOf(values.home, worker);
    dieAtCall(Number(values.die));
    await publishModel(services, { name: 'tiny', store }, JOB);
    return services.dispose();
  }
  const members = Array.from({ length: Number(values.members) }, async (_, index) => {
    const services = servicesOf(join(values.folder, `home-${values.seed}-${index}`), worker);
    const random = new Random(Number(values.seed) * 100 + index);
    for (let round = 0; round < Number(values.count); round += 1) {
      // Half of the members publish, the others fetch.
      await (index % 2 === 0 ? publishOne(services, values, random) : fetchOne(services, store));
    }
    await services.dispose();
  });
  await Promise.all(members);
}

interface Place {
  readonly folder: string;
  readonly store: string;
}

async function publishOne(services: Services, { folder, store }: Place, random: Random): Promise<void> {
  const version = random.pick(VERSIONS);
  await pullModel(services, await modelFromManifest(manifestPath(folder, MODEL, version)), JOB);
  await noted({ kind: 'install', model: MODEL, version }, async () => {
    await publishModel(services, { name: MODEL, store }, JOB);
    return {};
  });
}

async function fetchOne(services: Services, store: string): Promise<void> {
  await noted({ kind: 'read', model: MODEL }, async () => {
    await fetchModel(services, { name: MODEL, store }, JOB);
    return { saw: await readWhole(join(services.root, 'models', MODEL)) };
  });
}

async function noted(deed: Omit<HistoryLine, 'from' | 'to'>, act: () => Promise<Partial<HistoryLine>>): Promise<void> {
  const from = String(process.hrtime.bigint());
  const result = await act().catch((error: unknown) => ({ error: messageOf(error) }));
  console.log(JSON.stringify({ ...deed, ...result, from, to: String(process.hrtime.bigint()) }));
}

function servicesOf(root: string, workerScript: string): Services {
  return createServices({
    root,
    policy: { allowInsecureHttp: false, allowPrivateHosts: false },
    isTrusted: () => true,
    workerScript,
    clock: {
      now: () => Date.now(),
      elapsed: () => performance.now(),
      sleep: (milliseconds) => new Promise((wake) => setTimeout(wake, milliseconds))
    },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    environment: { HF_HUB_CACHE: join(root, 'no-hub-cache') }
  });
}

void main();

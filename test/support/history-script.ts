import { parseArgs } from 'node:util';
import { freeSpace } from '../../server/operations/clean-up/free-space';
import { cleanUpAfterCrashes } from '../../server/operations/clean-up/start-up';
import { dropModel } from '../../server/operations/models/drop-model';
import { modelFromManifest } from '../../server/operations/models/register-model';
import { pullModel } from '../../server/operations/pull/pull-model';
import { createServices, type Services } from '../../server/operations/services';
import { verifyModel } from '../../server/operations/verify-and-heal/verify-model';
import { findEntry, withEntry, withoutEntry } from '../../server/registry/registry-state';
import { Failure, messageOf } from '../../shared/failure';
import { type HistoryLine, MODEL_NAMES, manifestPath, VERSIONS } from './history/history';
import { readWhole } from './history/read-whole';
import { Random } from './random';
import { sampleEntry } from './sample-entry';

/**
 * A process that does random things to a cache root that others work on too, and prints what it did and when, one JSON
 * document a line.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      folder: { type: 'string', default: '' },
      worker: { type: 'string', default: '' },
      seed: { type: 'string', default: '' },
      count: { type: 'string', default: '' }
    }
  });
  const services = createServices({
    root: `${values.folder}/root`,
    policy: { allowInsecureHttp: false, allowPrivateHosts: false },
    isTrusted: () => true,
    workerScript: values.worker,
    clock: {
      now: () => Date.now(),
      elapsed: () => performance.now(),
      sleep: (milliseconds) => new Promise((wake) => setTimeout(wake, milliseconds))
    },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    environment: { HF_HUB_CACHE: `${values.folder}/no-hub-cache` }
  });
  const random = new Random(Number(values.seed));
  for (let index = 0; index < Number(values.count); index += 1) {
    const from = process.hrtime.bigint();
    const deed = await randomDeed(services, values.folder, random, `edit-${values.seed}-${index}`);
    const line: HistoryLine = { ...deed, from: String(from), to: String(process.hrtime.bigint()) };
    console.log(JSON.stringify(line));
  }
  await services.dispose();
}

/** What is done, some of it more often. */
const KINDS = [
  ...(['install', 'install', 'install', 'drop', 'drop', 'collect', 'collect', 'read', 'read', 'read'] as const),
  ...(['verify', 'edit', 'recover'] as const)
];

type Deed = Omit<HistoryLine, 'from' | 'to'>;

async function randomDeed(services: Services, folder: string, random: Random, unique: string): Promise<Deed> {
  const model = random.pick(MODEL_NAMES);
  const version = random.pick(VERSIONS);
  const known = await modelFromManifest(manifestPath(folder, model, version));
  const options = { signal: new AbortController().signal, onEvent: () => undefined, onProgress: () => undefined };
  const kind = random.pick(KINDS);
  switch (kind) {
    case 'install':
      return settled({ kind, model, version }, () => pullModel(services, known, options));
    case 'drop':
      return settled({ kind, model }, () => dropModel(services, known));
    case 'read':
      return { kind, model, saw: await readWhole(services.layout.model(known.name)) };
    case 'verify':
      return settled(
        { kind, model },
        async () => {
          if ((await readWhole(services.layout.model(known.name))) === 'none') return;
          await verifyModel(services, known, { ...options, depth: 'deep' });
        },
        'not-installed'
      );
    case 'collect':
      return settled({ kind }, () => freeSpace(services, false));
    case 'recover':
      return settled({ kind }, () => cleanUpAfterCrashes(services));
    case 'edit': {
      const { name, entry } = sampleEntry(unique);
      const isKept = random.below(3) > 0;
      return settled({ kind, model: unique, isKept }, async () => {
        await services.registry.change((models) => withEntry(models, name, entry));
        if (isKept) return;
        const models = await services.registry.change((before) => withoutEntry(before, name));
        if (findEntry(models, name)) throw new Error(`${name} is still there`);
      });
    }
  }
}

async function settled(deed: Deed, act: () => Promise<unknown>, allowed?: string): Promise<Deed> {
  try {
    await act();
    return deed;
  } catch (error) {
    if (error instanceof Failure && error.code === allowed) return deed;
    return { ...deed, error: messageOf(error) };
  }
}

void main();

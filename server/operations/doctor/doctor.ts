import { byteText } from '../../../shared/byte-text';
import { cancelled, Failure } from '../../../shared/failure';
import { freeBytes } from '../../platform/disk-space';
import { makeDirectoryDurably } from '../../platform/durable-files';
import { entriesOf } from '../../platform/folder-entries';
import { fileFailure } from '../../platform/system-error';
import { proxySettings } from '../../pull/network/proxy';
import { readOperations } from '../../store/operation-record';
import { freeSpace } from '../clean-up/free-space';
import { askDevice, chosenDevice } from '../engine/devices';
import { engineInUse } from '../engine/engine-in-use';
import { listModels } from '../models/list-models';
import type { Services } from '../services';
import { volumeAbilities } from './volume-abilities';

/** One thing that was looked at. */
export interface DoctorFinding {
  readonly subject:
    | 'cache'
    | 'volume'
    | 'space'
    | 'registry'
    | 'models'
    | 'leftovers'
    | 'engine'
    | 'devices'
    | 'network'
    | 'credentials';
  /** `attention`: works, with something to know. `broken`: does not work. */
  readonly state: 'fine' | 'attention' | 'broken';
  readonly message: string;
  /** What to do; absent when there is nothing. */
  readonly nextStep?: string;
}

type Answer = Omit<DoctorFinding, 'subject'>;

/** Little room is worth a word: models have gigabytes. In bytes. */
const LITTLE_ROOM = 10 * 1024 ** 3;

/**
 * Looks at everything that the product needs on this machine. Over the network nobody is asked but the devices that the
 * settings name; nothing is changed.
 */
export async function examineMachine(services: Services, signal: AbortSignal): Promise<readonly DoctorFinding[]> {
  const checks: [DoctorFinding['subject'], () => Promise<Answer>][] = [
    ['cache', () => cache(services)],
    ['volume', () => volume(services)],
    ['space', () => space(services)],
    ['registry', () => registry(services)],
    ['models', () => models(services)],
    ['leftovers', () => leftovers(services)],
    ['engine', () => engine(services, signal)],
    ['devices', () => otherMachines(services, signal)],
    ['network', async () => network(services)],
    ['credentials', () => credentials(services)]
  ];
  const findings: DoctorFinding[] = [];
  for (const [subject, check] of checks) findings.push({ subject, ...(await answered(check, services)) });
  return findings;
}

async function answered(check: () => Promise<Answer>, { layout }: Services): Promise<Answer> {
  try {
    return await check();
  } catch (error) {
    const failure = fileFailure(error, 'This could not be looked at.', layout.root);
    if (!(failure instanceof Failure)) throw error;
    if (failure.code === 'cancelled') throw failure;
    const { message, nextStep } = failure;
    return { state: 'broken', message, ...(nextStep !== undefined && { nextStep }) };
  }
}

async function cache({ layout }: Services): Promise<Answer> {
  await makeDirectoryDurably(layout.root);
  return fine(`The cache is ${layout.root}.`);
}

async function volume({ layout }: Services): Promise<Answer> {
  const abilities = await volumeAbilities(layout.root);
  const { hardLinks, reflinks, symbolicLinks, caseSensitive, rotating } = abilities;
  const facts = [
    `hard links ${yesNo(hardLinks)}`,
    `shared blocks ${yesNo(reflinks)}`,
    `symbolic links ${yesNo(symbolicLinks)}`,
    `upper and lower case ${caseSensitive ? 'differ' : 'are the same'}`,
    ...(rotating ? ['rotating disk'] : [])
  ].join(', ');
  if (hardLinks || reflinks) return fine(`The volume of the cache: ${facts}.`);
  return {
    state: 'attention',
    message: `The volume of the cache: ${facts}. Models share nothing there, and while one is installed it takes its space twice.`,
    nextStep: 'Move the cache to a volume with hard links, for example ext4, APFS or NTFS.'
  };
}

async function space(services: Services): Promise<Answer> {
  const { layout } = services;
  const free = await freeBytes(layout.root);
  if (free === undefined) return { state: 'attention', message: 'The platform does not tell how much space is free.' };
  if (free >= LITTLE_ROOM) return fine(`${byteText(free)} are free.`);
  const { bytes } = await freeSpace(services, true);
  return {
    state: 'attention',
    message: `Only ${byteText(free)} are free; ${byteText(bytes)} of the cache are used by no model.`,
    ...(bytes > 0 && { nextStep: 'Free them: diffusion-dock gc' })
  };
}

async function registry({ registry: known }: Services): Promise<Answer> {
  const entries = await known.read();
  return fine(`The registry knows ${entries.length} ${entries.length === 1 ? 'model' : 'models'}.`);
}

async function models(services: Services): Promise<Answer> {
  const all = await listModels(services);
  const unwell = all.filter(({ status }) => status === 'unhealthy' || status === 'missing').map(({ name }) => name);
  const installed = all.filter(({ status }) => status === 'installed').length;
  if (unwell.length === 0) return fine(`${installed} of ${all.length} models are installed and look sound.`);
  return {
    state: 'broken',
    message: `Damaged or missing: ${unwell.join(', ')}.`,
    nextStep: 'Heal them: diffusion-dock heal --all'
  };
}

async function leftovers({ layout }: Services): Promise<Answer> {
  const partials = (await entriesOf(layout.partials)).filter((entry) => !entry.startsWith('.')).length;
  const operations = (await readOperations(layout)).length;
  return fine(`${partials} interrupted or running transfers, ${operations} operations under way.`);
}

async function engine(services: Services, signal: AbortSignal): Promise<Answer> {
  const { path, abilities } = await engineInUse(services, { signal, fresh: true });
  const devices = abilities.devices.map(({ name, description }) => `${name} (${description})`).join(', ');
  return fine(`${abilities.version}, ${path}; computes on ${devices || 'what it does not tell'}.`);
}

/** How long a device may take to say what it has loaded, in ms. */
const DEVICE_MS = 5000;

async function otherMachines(services: Services, signal: AbortSignal): Promise<Answer> {
  const { remotes, rpcServers } = services.engineSettings;
  const names = Object.keys(remotes);
  const lent = rpcServers.length === 0 ? '' : ` RPC servers, which are not asked: ${rpcServers.join(', ')}.`;
  if (names.length === 0) return fine(`No other machine is named in the settings.${lent}`);
  const answers = await Promise.all(names.map((name) => deviceAnswer(services, name, signal)));
  const message = `${answers.map(({ sentence }) => sentence).join(' ')}${lent}`;
  if (answers.every(({ isThere }) => isThere)) return fine(message);
  return {
    state: 'attention',
    message,
    nextStep: 'Start sd-server on these machines, or correct their addresses in the settings.'
  };
}

async function deviceAnswer(
  services: Services,
  name: string,
  signal: AbortSignal
): Promise<{ readonly sentence: string; readonly isThere: boolean }> {
  try {
    const device = chosenDevice(services, name);
    if (!device) return { sentence: `"${name}" always means this machine.`, isThere: false };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(DEVICE_MS)]);
    const model = await askDevice(services, device, limit);
    return {
      sentence: `"${name}" (${device.address.host}) is an sd-server with ${model || 'no model'}.`,
      isThere: true
    };
  } catch (error) {
    if (signal.aborted) throw cancelled('The examination');
    if (!(error instanceof Failure)) throw error;
    return { sentence: error.message, isThere: false };
  }
}

function network({ environment, editorProxy }: Services): Answer {
  const { forHttps, forHttp, exceptions, strictTls } = proxySettings(environment, editorProxy);
  const proxies = [...new Set([forHttps, forHttp].flatMap((address) => (address ? [withoutSecrets(address)] : [])))];
  const direct = exceptions.replace(/^,|,$/g, '');
  const message =
    proxies.length === 0
      ? 'Connections are direct; no proxy is set.'
      : `Connections go by way of ${proxies.join(' and ')}${direct === '' ? '' : `, but not to ${direct}`}.`;
  if (strictTls) return fine(message);
  return {
    state: 'attention',
    message: `${message} Certificates are not checked.`,
    nextStep: 'Have certificates checked again, and trust that of your proxy instead.'
  };
}

async function credentials({ credentials: store }: Services): Promise<Answer> {
  const aliases = await store.aliases();
  return fine(aliases.length === 0 ? 'No credentials are stored.' : `Credentials: ${aliases.join(', ')}.`);
}

/** An address may carry a user's name and password; one that makes no sense is not repeated for the same reason. */
function withoutSecrets(address: string): string {
  if (URL.canParse(address)) return new URL(address).host;
  throw new Failure('bad-request', 'The address of the proxy makes no sense.', {
    nextStep: 'Correct the proxy: http://host:port'
  });
}

function fine(message: string): Answer {
  return { state: 'fine', message };
}

function yesNo(works: boolean): string {
  return works ? 'yes' : 'no';
}

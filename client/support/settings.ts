import { type ConfigurationChangeEvent, type ConfigurationScope, workspace } from 'vscode';
import { type EngineSettings, engineSettings as schema } from '../../shared/engine-settings';
import { SETTINGS, type SettingName } from '../../shared/settings';
import { type StoreSettings, storeSettings } from '../../shared/store-settings';
import { transferLimits as limits, type TransferLimits, USUAL_LIMITS } from '../../shared/transfer-limits';

/** Folder of the cache; undefined when the setting is empty. */
export function cacheRoot(): string | undefined {
  return nonEmptyText('cacheRoot');
}

/** Path of sd-cli; undefined when the setting is empty. */
export function sdCliPath(): string | undefined {
  return nonEmptyText('sdCliPath');
}

/** The user's own folder of LoRAs. */
export function loraFolder(): string | undefined {
  return nonEmptyText('loraFolder');
}

/** Where releases of sd-cli are listed; undefined when nobody set it, so that the server's environment counts. */
export function engineReleases(): string | undefined {
  const address = nonEmptyText('engineReleases');
  return address === SETTINGS.engineReleases.default ? undefined : address;
}

/** How engines are used beyond a run of sd-cli on this machine. */
export function engineSettings(): EngineSettings {
  return schema.parse({
    resident: read('resident'),
    residentIdleMinutes: read('residentIdleMinutes'),
    residentMemoryReserve: read('residentMemoryReserve'),
    sdServerPath: nonEmptyText('sdServerPath'),
    rpcServers: nonEmptyTexts(read('rpcServers')),
    remotes: read('remotes'),
    device: nonEmptyText('device')
  });
}

/** The team's stores, by name. */
export function stores(): StoreSettings {
  return storeSettings.catch({}).parse(read('stores'));
}

/** The same as a list, in the order of the settings. */
export function listedStores(): { readonly name: string; readonly url: string }[] {
  return Object.entries(stores()).map(([name, { url }]) => ({ name, url }));
}

/** PEM file of further authorities; undefined when the setting is empty. */
export function caFile(): string | undefined {
  return nonEmptyText('caFile');
}

/** Whether plain http is allowed for other hosts. */
export function allowInsecureHttp(): boolean {
  return read('allowInsecureHttp') === true;
}

/** Whether hosts of private networks may be connected to. */
export function allowPrivateHosts(): boolean {
  return read('allowPrivateHosts') === true;
}

/** How much of the network transfers may take; what is out of range counts as not set. */
export function transferLimits(): TransferLimits {
  const bytesPerSecond = limits.shape.bytesPerSecond.safeParse(read('rateLimit'));
  const connections = limits.shape.connections.safeParse(read('connections'));
  return {
    bytesPerSecond: bytesPerSecond.data ?? USUAL_LIMITS.bytesPerSecond,
    connections: connections.data ?? USUAL_LIMITS.connections
  };
}

/** Days that a partial is kept which nobody goes on with; 0: for ever. */
export function keepPartialsDays(): number {
  const value = read('keepPartialsDays');
  return typeof value === 'number' && value >= 0 ? value : SETTINGS.keepPartialsDays.default;
}

/** How long the engine may run, in minutes; 0: for ever. */
export function engineTimeLimit(): number {
  const value = read('engineTimeLimit');
  return typeof value === 'number' && value >= 0 ? value : SETTINGS.engineTimeLimit.default;
}

/** Whether to show previews of an image while it is made. */
export function showsPreviews(): boolean {
  return read('preview') !== false;
}

/**
 * How many bytes a pull may transfer without a question.
 * @returns undefined when no question is ever to be asked
 */
export function confirmAboveBytes(): number | undefined {
  const value = read('confirmAbove');
  const megabytes = typeof value === 'number' ? value : SETTINGS.confirmAbove.default;
  return megabytes < 0 ? undefined : megabytes * 1e6;
}

/** The editor's own proxy settings, as far as the user set them. */
export function editorProxy(): {
  address?: string;
  strictTls?: boolean;
  exceptions?: string[];
  systemCertificates?: boolean;
} {
  const http = workspace.getConfiguration('http');
  const address = http.get<unknown>('proxy');
  const direct = http.get<unknown>('noProxy');
  return {
    ...(typeof address === 'string' && address !== '' && { address }),
    ...(http.get<unknown>('proxyStrictSSL') === false && { strictTls: false }),
    ...(http.get<unknown>('systemCertificates') === true && { systemCertificates: true }),
    ...(Array.isArray(direct) && { exceptions: direct.filter((host) => typeof host === 'string') })
  };
}

/** Glob patterns of further manifests, relative to the workspace folder they are read for. */
export function manifestInclude(scope: ConfigurationScope): readonly string[] {
  return nonEmptyTexts(read('manifestInclude', scope));
}

/** Glob patterns of documents that are no manifests, relative to the workspace folder they are read for. */
export function manifestExclude(scope: ConfigurationScope): readonly string[] {
  return nonEmptyTexts(read('manifestExclude', scope));
}

/** What the user wants findings in manifests to be, by code, as it is written in the settings. */
export function manifestSeverity(): unknown {
  return read('manifestSeverity');
}

/** Whether a change is about how grave findings are. */
export function affectsManifestSeverity(event: ConfigurationChangeEvent): boolean {
  return event.affectsConfiguration(SETTINGS.manifestSeverity.key);
}

/** Models whose pickles the engine may read. */
export function allowPickle(): string[] {
  return nonEmptyTexts(read('allowPickle'));
}

/** Folders that identical bytes may be adopted from. */
export function adoptFrom(): string[] {
  return nonEmptyTexts(read('adoptFrom'));
}

/** What a running server is told of. */
const LIMITS: readonly string[] = [SETTINGS.rateLimit.key, SETTINGS.connections.key];
const LIVE: ReadonlySet<string> = new Set([...LIMITS, SETTINGS.manifestSeverity.key]);

/** What is read when it is needed. */
const READ_LATE: readonly string[] = [SETTINGS.confirmAbove, SETTINGS.engineTimeLimit, SETTINGS.preview].map(
  ({ key }) => key
);

/** Whether a change is about what transfers may take of the network. */
export function affectsTransferLimits(event: ConfigurationChangeEvent): boolean {
  return LIMITS.some((key) => event.affectsConfiguration(key));
}

/** Whether a change is about any setting that the server learns at its start only. */
export function affectsOurSettings(event: ConfigurationChangeEvent): boolean {
  const others: ReadonlySet<string> = new Set([...LIVE, ...READ_LATE]);
  const ours = Object.values(SETTINGS).flatMap(({ key }) => (others.has(key) ? [] : [key]));
  return [...ours, 'http.proxy', 'http.proxyStrictSSL', 'http.noProxy', 'http.systemCertificates'].some((key) =>
    event.affectsConfiguration(key)
  );
}

function nonEmptyText(name: SettingName): string | undefined {
  const value = read(name);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function nonEmptyTexts(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((text) => typeof text === 'string' && text !== '');
}

/** Whatever the user wrote; nobody promises that it has the contributed type. */
function read(name: SettingName, scope?: ConfigurationScope): unknown {
  return workspace.getConfiguration(undefined, scope).get<unknown>(SETTINGS[name].key);
}

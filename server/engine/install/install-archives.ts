import { chmod, mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { EngineVariant } from '../../../shared/engine';
import { Failure } from '../../../shared/failure';
import { makeDirectoryDurably, renamePatiently, syncDirectory, temporaryPath } from '../../platform/durable-files';
import { nonce, ownIdentity } from '../../platform/process-identity';
import { fileFailure } from '../../platform/system-error';
import type { FreeBytes } from '../../pull/disk-room';
import { engineEnvironment } from '../environment';
import { checkExecutable } from '../executable';
import { engineProgram } from '../find';
import { probeEngine } from '../probe';
import {
  changeSelection,
  filesFolder,
  type InstalledEngine,
  readSelection,
  readVersion,
  type VersionRecord,
  versionsFolder,
  writeRecord
} from './installed-engines';
import { removeQuarantine } from './quarantine';
import { type UnpackedFile, unpackArchive } from './unpack-archive';

/** An archive that lies on the disk, with the digest that was computed there. */
export interface FetchedArchive {
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
  readonly sha256: string;
}

export interface ArchivesToInstall {
  readonly release: string;
  readonly variant: EngineVariant;
  readonly engine: FetchedArchive;
  /** Libraries that are put beside the program. */
  readonly runtime?: FetchedArchive | undefined;
  readonly digestOrigin: VersionRecord['digest_origin'];
}

export interface InstallTools {
  /** Absolute path of the folder of engines. */
  readonly engines: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly freeBytes: FreeBytes;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly onPhase: (phase: 'unpacking' | 'checking', archive: string) => void;
}

/**
 * Installs an engine from its archives: unpacked in a folder of this process, looked at, started once for its version,
 * and only then selected. The one before stays, to go back to. A crash leaves the old engine or the new one.
 * @throws Failure 'bad-archive', 'engine-unusable', 'disk-full', 'file-access', 'cancelled'
 */
export async function installArchives(archives: ArchivesToInstall, tools: InstallTools): Promise<InstalledEngine> {
  const versions = versionsFolder(tools.engines);
  try {
    await makeDirectoryDurably(versions);
    const staging = await temporaryPath(versions);
    try {
      await mkdir(filesFolder(staging), { recursive: true });
      await stage(archives, staging, tools);
      const id = versionName(archives);
      await renamePatiently(staging, join(versions, id));
      await syncDirectory(versions);
      return await select(tools.engines, id);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  } catch (error) {
    throw fileFailure(error, 'The engine cannot be installed.', versions);
  }
}

/** Tells people what it is, and is new each time: a version is never replaced in its place. */
function versionName({ release, variant }: ArchivesToInstall): string {
  const tag = release
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .replace(/^\./, '_')
    .slice(0, 80);
  return `${tag}-${variant}-${nonce()}`;
}

/** Puts a whole version together in a folder that nobody else knows. */
async function stage(archives: ArchivesToInstall, staging: string, tools: InstallTools): Promise<void> {
  const { engine, runtime, release, variant, digestOrigin } = archives;
  const { onPhase, signal, now, freeBytes } = tools;
  const files = filesFolder(staging);
  onPhase('unpacking', engine.name);
  const unpacked = await unpackArchive({ archive: engine.path, name: engine.name, folder: files, freeBytes, signal });
  const program = programIn(unpacked, engine.name);
  const path = join(files, ...program.split('/'));
  if (runtime) {
    onPhase('unpacking', runtime.name);
    await unpackArchive({ archive: runtime.path, name: runtime.name, folder: dirname(path), freeBytes, signal });
  }
  onPhase('checking', engine.name);
  const version = await checkedVersion(path, digestOrigin, tools);
  await writeRecord(staging, {
    release,
    variant,
    program,
    version,
    archives: [engine, ...(runtime ? [runtime] : [])].map(({ name, sha256 }) => ({ name, sha256 })),
    digest_origin: digestOrigin,
    installed_at_unix_ms: now(),
    installer: await ownIdentity()
  });
}

/** sd-cli lies at the top of most archives, in `build/bin` of some; the one that lies highest counts. */
function programIn(files: readonly UnpackedFile[], archive: string): string {
  const name = engineProgram(process.platform);
  const [program] = files
    .map(({ path }) => path)
    .filter((path) => basename(path).toLowerCase() === name)
    .toSorted((one, other) => one.split('/').length - other.split('/').length);
  if (program !== undefined) return program;
  throw new Failure('bad-archive', `${archive} holds no ${name}.`, {
    subject: archive,
    nextStep: 'Choose another release or variant; nothing was installed.'
  });
}

/** The first and only time that something of an archive runs before it is selected; what it is was judged before. */
async function checkedVersion(
  path: string,
  digestOrigin: VersionRecord['digest_origin'],
  { environment, signal }: InstallTools
): Promise<string> {
  await checkExecutable(path);
  await chmod(path, 0o755);
  // Only what is proved to be what was published loses the mark of things from the network.
  if (digestOrigin !== 'observed') await removeQuarantine(dirname(path));
  const { version } = await probeEngine({
    path,
    environment: engineEnvironment(environment, process.platform, dirname(path)),
    signal
  });
  return version;
}

/** Installing the same archives again is no reason to forget what there was before. */
async function select(engines: string, id: string): Promise<InstalledEngine> {
  const installed = await readVersion(engines, id);
  if (!installed) throw new Error(`the engine ${id} is not where it was put`);
  const { current } = await readSelection(engines);
  const present = await readVersion(engines, current);
  const isSame = present !== undefined && contentOf(present) === contentOf(installed);
  await changeSelection(engines, (before) => ({
    ...before,
    current: id,
    previous: isSame ? before.previous : before.current
  }));
  return installed;
}

function contentOf({ record }: InstalledEngine): string {
  return record.archives.map(({ sha256 }) => sha256).join(' ');
}

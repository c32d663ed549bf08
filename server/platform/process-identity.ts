import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';
import { isErrorWithCode } from './system-error';

/** Names one process on one boot of one host, so that a reused process id is not taken for it. */
export interface ProcessIdentity {
  readonly host: string;
  readonly bootId: string;
  readonly pid: number;
  /** When the process started, in the platform's own unit; '' where the platform does not tell. */
  readonly startTime: string;
}

/** A short random text that makes a name unique among all processes. */
export function nonce(): string {
  return randomBytes(8).toString('hex');
}

let ownBoot: Promise<string> | undefined;

let ownHost: string | undefined;

/**
 * Where process ids are this process's own, safe within a file name: the host's name, and the PID namespace when that
 * is not the one that Linux boots with. Containers that share the host's name have process ids of their own.
 */
function hostName(): string {
  ownHost ??= `${hostname().replace(/[^A-Za-z0-9-]/g, '_')}${namespaceSuffix()}`;
  return ownHost;
}

/** The namespace that every Linux boots with (PROC_PID_INIT_INO of the kernel). */
const FIRST_NAMESPACE = '4026531836';

function namespaceSuffix(): string {
  try {
    const [, namespace] = /^pid:\[(\d+)\]$/.exec(readlinkSync('/proc/self/ns/pid')) ?? [];
    return namespace === undefined || namespace === FIRST_NAMESPACE ? '' : `_${namespace}`;
  } catch {
    return '';
  }
}

/** Tells one boot of this machine from another: what was written but not synced survives only the same boot. */
export function bootId(): Promise<string> {
  ownBoot ??= readBootId().catch((error: unknown) => {
    ownBoot = undefined;
    throw error;
  });
  return ownBoot;
}

/** Marks the identity of a boot that is only estimated: it differs between processes when the clock is adjusted. */
const ESTIMATED_BOOT = 'boot-';

async function readBootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch (error) {
    // A passing fault, like too many open files, must not give this process another identity than it had.
    if (!isErrorWithCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM')) throw error;
    return `${ESTIMATED_BOOT}${Math.round((Date.now() / 1000 - uptime()) / 10)}`;
  }
}

/** Whether two processes certainly ran on different boots. */
function areOfDifferentBoots(one: string, other: string): boolean {
  return one !== other && !one.startsWith(ESTIMATED_BOOT) && !other.startsWith(ESTIMATED_BOOT);
}

/**
 * Describes a process of this machine.
 * @returns undefined when no such process exists
 */
export async function describeProcess(pid: number): Promise<ProcessIdentity | undefined> {
  if (!isRunning(pid)) return undefined;
  const startTime = await startTimeOf(pid);
  if (startTime === undefined) return undefined;
  return { host: hostName(), bootId: await bootId(), pid, startTime };
}

/** Describes this process. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  const startTime = (await startTimeOf(process.pid)) ?? '';
  return { host: hostName(), bootId: await bootId(), pid: process.pid, startTime };
}

/**
 * Whether a process is certainly gone. A process of another host is never proved dead, nor is one that answers
 * under the same id where the platform does not tell start times.
 */
export async function isProvedDead(identity: ProcessIdentity): Promise<boolean> {
  if (isElsewhere(identity)) return false;
  if (areOfDifferentBoots(identity.bootId, await bootId())) return true;
  if (!isRunning(identity.pid)) return true;
  const startTime = await startTimeOf(identity.pid);
  if (startTime === undefined) return true;
  return startTime !== '' && identity.startTime !== '' && startTime !== identity.startTime;
}

/** Whether nobody here can ask about a process: it runs, or ran, on another host or in another PID namespace. */
export function isElsewhere({ host }: ProcessIdentity): boolean {
  return host !== hostName();
}

/** How long a process elsewhere counts as alive after its last sign of life, in ms. */
const SILENCE_MS = 7 * 24 * 3600 * 1000;

/** An age beyond this, or below nothing, tells more of a clock that was moved than of anything else, in ms. */
const PLAUSIBLE_MS = 90 * 24 * 3600 * 1000;

/**
 * Whether nothing is to be expected of a process any more: it is proved dead, or it runs elsewhere and has shown no
 * sign of life for a week.
 * @param lastSign what it wrote last, in milliseconds since the epoch
 */
export async function isGone(identity: ProcessIdentity, lastSign: number): Promise<boolean> {
  if (await isProvedDead(identity)) return true;
  const age = Date.now() - lastSign;
  return isElsewhere(identity) && age > SILENCE_MS && age <= PLAUSIBLE_MS;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrorWithCode(error, 'EPERM');
  }
}

/** '' where nobody tells; undefined when the process is gone or only waits to be reaped. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return '';
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold anything; count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return fields[19] ?? '';
  } catch {
    // Unreadable is not gone: the system may hide other users' processes, or too many files are open.
    return isRunning(pid) ? '' : undefined;
  }
}

/** Writes an identity and a nonce as one part of a file name, so that a rename changes owner and place at once. */
export function ownerTag(identity: ProcessIdentity, unique: string): string {
  return [identity.host, identity.bootId, String(identity.pid), identity.startTime, unique].join('~');
}

/** Reads what {@link ownerTag} wrote; undefined for any other text. */
export function parseOwnerTag(tag: string): ProcessIdentity | undefined {
  const [host, boot, pid, startTime, unique, ...rest] = tag.split('~');
  if (!host || !boot || startTime === undefined || !unique || rest.length > 0) return undefined;
  const number = Number(pid);
  return Number.isSafeInteger(number) && number >= 1 ? { host, bootId: boot, pid: number, startTime } : undefined;
}

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';
import * as z from 'zod';
import { isErrorWithCode } from './system-error';

/** Names one process on one boot of one host, so that a reused process id is not taken for it. */
export const processIdentity = z.object({
  host: z.string(),
  bootId: z.string(),
  pid: z.int().min(1),
  /** When the process started, in the platform's own unit; '' where the platform does not tell. */
  startTime: z.string()
});

export type ProcessIdentity = z.infer<typeof processIdentity>;

/** A short random text that makes a name unique among all processes. */
export function nonce(): string {
  return randomBytes(8).toString('hex');
}

let ownBoot: Promise<string> | undefined;

/** This host's name, safe within a file name. */
function hostName(): string {
  return hostname().replace(/[^A-Za-z0-9-]/g, '_');
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
  if (identity.host !== hostName()) return false;
  if (areOfDifferentBoots(identity.bootId, await bootId())) return true;
  if (!isRunning(identity.pid)) return true;
  const startTime = await startTimeOf(identity.pid);
  if (startTime === undefined) return true;
  return startTime !== '' && identity.startTime !== '' && startTime !== identity.startTime;
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
  const parsed = processIdentity.safeParse({ host, bootId: boot, pid: Number(pid), startTime });
  return parsed.success ? parsed.data : undefined;
}

import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';

/**
 * Whose a listening port is. `ours`: one socket listens there, and it is a socket of our child. `unknown`: this
 * platform does not tell.
 */
export type PortHolder = 'ours' | 'foreign' | 'unknown';

/** The state of a listening socket in /proc/net/tcp. */
const LISTENING = '0A';

/** Local addresses, as /proc/net/tcp and tcp6 write them, that connections to 127.0.0.1 can end at. */
const ANSWERING = new Set([
  '0100007F',
  '00000000',
  '0000000000000000FFFF00000100007F',
  '0000000000000000FFFF000000000000',
  '00000000000000000000000000000000'
]);

/** A port of 127.0.0.1 that nobody listens on just now. */
export async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a listening server has a port');
  return address.port;
}

/**
 * Whose the sockets are that answer at a port of 127.0.0.1. sd-server listens with SO_REUSEPORT: another one on the
 * same port starts without a word, and the system gives it half of the requests.
 * @param leader process id of our child, which leads a process group of its own
 */
export async function portHolder(port: number, leader: number): Promise<PortHolder> {
  if (process.platform !== 'linux') return 'unknown';
  try {
    const tables = await Promise.all(['tcp', 'tcp6'].map(readTable));
    const listeners = tables.flatMap((table) => listeningInodes(table, port));
    const [inode, ...others] = listeners;
    if (inode === undefined || others.length > 0) return 'foreign';
    return (await ownSockets(leader)).has(inode) ? 'ours' : 'foreign';
  } catch {
    return 'unknown';
  }
}

/**
 * The inodes of the sockets that answer at a port of 127.0.0.1.
 * @param table the content of /proc/net/tcp or tcp6
 */
export function listeningInodes(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    const [address = '', localPort] = local.split(':');
    const answers = state === LISTENING && localPort === wanted && ANSWERING.has(address);
    return answers && inode !== undefined ? [inode] : [];
  });
}

/** Systems without IPv6 have no table for it. */
async function readTable(name: string): Promise<string> {
  try {
    return await readFile(`/proc/net/${name}`, 'utf8');
  } catch (error) {
    if (name === 'tcp6') return '';
    throw error;
  }
}

/** The inodes of the sockets that a process, or a member of the group that it leads, has open. */
async function ownSockets(leader: number): Promise<ReadonlySet<string>> {
  const own = await socketsOf(String(leader));
  if (own.length > 0) return new Set(own);
  const members = await groupMembers(leader);
  return new Set((await Promise.all(members.map(socketsOf))).flat());
}

/** A program may be started by a script of its own that waits for it. */
async function groupMembers(leader: number): Promise<string[]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const groups = await Promise.all(
    processes.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      // The second field is the program's name in parentheses and may hold anything; count from its end.
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2];
    })
  );
  return processes.filter((_, index) => groups[index] === String(leader));
}

async function socketsOf(pid: string): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const targets = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
}

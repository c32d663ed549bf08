import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A port of an address that nobody uses at the moment. */
export async function freePort(address = '127.0.0.1'): Promise<number> {
  const server = createServer();
  server.listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** How often a server that is starting is knocked at, in ms. */
const KNOCK_MS = 5;

/** A server program under way. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly printed: { text: string }
  ) {}

  /** Starts a program and waits until it takes connections. @throws Error with its output when it ends instead */
  static async start(
    program: string,
    args: readonly string[],
    { port, address = '127.0.0.1' }: { readonly port: number; readonly address?: string }
  ): Promise<ServerProcess> {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const printed = { text: '' };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed.text += String(chunk)));
    const server = new ServerProcess(child, printed);
    while (!(await answers(port, address))) {
      if (server.hasEnded) throw new Error(`${program} ended:\n${server.output}`);
      await delay(KNOCK_MS);
    }
    return server;
  }

  /** What it has printed so far. */
  get output(): string {
    return this.printed.text;
  }

  /** Ends it. SIGKILL leaves it no time for anything. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.child, 'close');
    this.child.kill(signal);
    await ended;
  }

  private get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }
}

async function answers(port: number, address: string): Promise<boolean> {
  const socket = connect(port, address);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

import { lookup } from 'node:dns/promises';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../temporary-folder';
import type { TestHost } from './nginx';
import { findProgram } from './programs';
import { freePort, ServerProcess } from './server-process';

export const TINYPROXY = findProgram('tinyproxy');

/**
 * This machine by its own name, which is no loopback address to look at: such are never reached through a proxy.
 * undefined where the name leads nowhere.
 */
export async function ownHost(): Promise<TestHost | undefined> {
  const name = hostname().toLowerCase();
  const found = await lookup(name, { family: 4 }).catch(() => undefined);
  return found && { name, address: found.address };
}

/** tinyproxy on a free port; it ends with the test. */
export class Tinyproxy {
  private constructor(
    /** Host and port. */
    readonly host: string,
    private readonly process: ServerProcess
  ) {}

  /** @param directives further lines of its configuration, for example `BasicAuth name password` */
  static async start(...directives: readonly string[]): Promise<Tinyproxy> {
    const port = await freePort();
    const file = join(await temporaryFolder(), 'tinyproxy.conf');
    const lines = [
      `Port ${port}`,
      'Listen 127.0.0.1',
      'Timeout 60',
      'MaxClients 20',
      'LogLevel Connect',
      ...directives
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    const server = await ServerProcess.start(TINYPROXY ?? 'tinyproxy', ['-d', '-c', file], { port });
    const proxy = new Tinyproxy(`127.0.0.1:${port}`, server);
    onTestFinished(() => proxy.end());
    return proxy;
  }

  /** Ends it. */
  end(): Promise<void> {
    return this.process.end('SIGKILL');
  }

  /** What it was asked so far, as `METHOD target`. */
  get asked(): string[] {
    return [...this.process.output.matchAll(/Request \(file descriptor \d+\): (\S+ \S+) HTTP/g)].map(
      ([, request = '']) => request
    );
  }
}

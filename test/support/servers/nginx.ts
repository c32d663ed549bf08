import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../temporary-folder';
import type { ServerCertificate } from './certificates';
import { findProgram } from './programs';
import { freePort, ServerProcess } from './server-process';

export const NGINX = findProgram('nginx');

/** A host as it is named in addresses, and the IPv4 address that it leads to. */
export interface TestHost {
  readonly name: string;
  readonly address: string;
}

export interface NginxOptions {
  /** Directives for `http { }`. */
  readonly http?: string;
  /** Directives for `server { }`. */
  readonly server?: string;
  readonly host?: TestHost | undefined;
  /** With it https is served, over HTTP/2 too for those who ask for it. */
  readonly certificate?: ServerCertificate;
}

/** One line of the access log. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly protocol: string;
  readonly status: number;
  readonly range: string;
  readonly ifRange: string;
  readonly acceptEncoding: string;
  /** Number of the connection that it came over. */
  readonly connection: number;
  readonly bodyBytes: number;
}

const LOG_FORMAT = [
  '"method":"$request_method"',
  '"path":"$request_uri"',
  '"protocol":"$server_protocol"',
  '"status":$status',
  '"range":"$http_range"',
  '"ifRange":"$http_if_range"',
  '"acceptEncoding":"$http_accept_encoding"',
  '"connection":$connection',
  '"bodyBytes":$body_bytes_sent'
].join(',');

/** nginx on a free port, serving a folder of its own; it ends with the test. */
export class Nginx {
  private constructor(
    readonly origin: string,
    private readonly folder: string,
    private readonly start: () => Promise<ServerProcess>,
    private process: ServerProcess
  ) {}

  static async start(options: NginxOptions = {}): Promise<Nginx> {
    const { host = { name: '127.0.0.1', address: '127.0.0.1' }, certificate } = options;
    const folder = await temporaryFolder();
    const port = await freePort(host.address);
    await mkdir(join(folder, 'files'));
    await writeFile(join(folder, 'nginx.conf'), configuration(folder, `${host.address}:${port}`, options));
    const args = ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')];
    const start = (): Promise<ServerProcess> =>
      ServerProcess.start(NGINX ?? 'nginx', args, { port, address: host.address });
    const nginx = new Nginx(`${certificate ? 'https' : 'http'}://${host.name}:${port}`, folder, start, await start());
    onTestFinished(() => nginx.kill());
    return nginx;
  }

  /** Serves bytes under a name, in place of what was served before: written into the same file. @returns the URL */
  async serve(name: string, bytes: Uint8Array | string): Promise<string> {
    await writeFile(this.pathOf(name), bytes);
    return `${this.origin}/${name}`;
  }

  private pathOf(name: string): string {
    return join(this.folder, 'files', name);
  }

  /** Ends it without a word to anybody; every connection breaks. */
  kill(): Promise<void> {
    return this.process.end('SIGKILL');
  }

  /** Starts it again on the same port. */
  async restart(): Promise<void> {
    await this.kill();
    this.process = await this.start();
  }

  /** Ends it and gives what it was asked in its life, in the order in which the answers ended. */
  async requests(): Promise<LoggedRequest[]> {
    // While it runs, the line of an answer may be written after its last byte has arrived.
    await this.process.end('SIGTERM');
    const lines = (await readFile(join(this.folder, 'access.log'), 'utf8')).split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as LoggedRequest);
  }
}

/** One process in the foreground, so that ending it ends all; nothing outside of its folder is written. */
function configuration(folder: string, listen: string, { http = '', server = '', certificate }: NginxOptions): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const tls =
    certificate && `ssl_certificate ${certificate.certificate}; ssl_certificate_key ${certificate.privateKey};`;
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events { worker_connections 64; }
http {
  ${temporary.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n  ')}
  log_format facts escape=json '{${LOG_FORMAT}}';
  access_log ${folder}/access.log facts;
  default_type application/octet-stream;
  types { text/html html; }
  sendfile on;
  ${http}
  server {
    listen ${listen}${certificate ? ' ssl http2' : ''};
    ${tls ?? ''}
    root ${folder}/files;
    ${server}
  }
}
`;
}

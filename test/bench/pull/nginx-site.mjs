// nginx with a folder, over http and https.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { isInstalled, startProgram } from './child-server.mjs';

/** Debian puts it where it is not in everybody's PATH. */
const PROGRAMS = ['nginx', '/usr/sbin/nginx'];

const findNginx = () => PROGRAMS.find((program) => isInstalled(program, '-v'));

/** Whether nginx is installed. */
export const hasNginx = () => findNginx() !== undefined;

/**
 * @typedef {object} Site
 * @property {string} http origin
 * @property {string} https origin
 * @property {string} certificate PEM file that makes the https origin trusted
 * @property {() => Promise<void>} close
 */

/**
 * @param {string} folder its files are served
 * @returns {Promise<Site>}
 */
export async function startNginx(folder) {
  const [plain, secure] = [await freePort(), await freePort()];
  const certificate = path.join(folder, 'nginx.pem');
  const key = path.join(folder, 'nginx.key');
  const subject = ['-subj', '/CN=bench', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject];
  await promisify(execFile)('openssl', [...request, '-keyout', key, '-out', certificate]);
  const file = path.join(folder, 'nginx.conf');
  await writeFile(file, configuration({ folder, plain, secure, certificate, key }));
  const { close } = await startProgram(findNginx(), ['-e', 'stderr', '-p', folder, '-c', file], plain);
  return { http: `http://127.0.0.1:${plain}`, https: `https://127.0.0.1:${secure}`, certificate, close };
}

function configuration({ folder, plain, secure, certificate, key }) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events { worker_connections 256; }
http {
  ${temporary.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n  ')}
  access_log off;
  sendfile on;
  server {
    listen 127.0.0.1:${plain};
    listen 127.0.0.1:${secure} ssl;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    root ${folder};
  }
}
`;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../temporary-folder';
import { findProgram } from './programs';

export const OPENSSL = findProgram('openssl');

/** A server's certificate, signed by an authority that nobody knows who is not told; all are paths of PEM files. */
export interface ServerCertificate {
  readonly authority: string;
  readonly certificate: string;
  readonly privateKey: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes an authority and a certificate of its own for hosts, for example `DNS:localhost` or `IP:127.0.0.1`. */
export function makeCertificate(...hosts: readonly string[]): Promise<ServerCertificate> {
  return certificateFor(hosts, 2);
}

/** The same, but the certificate ran out yesterday. */
export function makeExpiredCertificate(...hosts: readonly string[]): Promise<ServerCertificate> {
  return certificateFor(hosts, -1);
}

async function certificateFor(hosts: readonly string[], days: number): Promise<ServerCertificate> {
  const folder = await temporaryFolder();
  const at = (name: string): string => join(folder, name);
  const [authority, certificate, privateKey] = [at('authority.pem'), at('server.pem'), at('server.key')];
  await writeFile(at('hosts'), `subjectAltName=${hosts.join(',')}\n`);
  const authorityKey = at('authority.key');
  await openssl('req', '-x509', ...KEY, '-keyout', authorityKey, '-out', authority, '-subj', '/CN=private authority');
  await openssl('req', ...KEY, '-keyout', privateKey, '-out', at('request'), '-subj', '/CN=server');
  const signing = [
    '-CA',
    authority,
    '-CAkey',
    authorityKey,
    '-CAcreateserial',
    '-extfile',
    at('hosts'),
    '-days',
    String(days)
  ];
  await openssl('x509', '-req', '-in', at('request'), ...signing, '-out', certificate);
  return { authority, certificate, privateKey };
}

async function openssl(...args: readonly string[]): Promise<void> {
  await promisify(execFile)(OPENSSL ?? 'openssl', args);
}

import { readFile } from 'node:fs/promises';
import * as tls from 'node:tls';
import { Failure } from '../../../shared/failure';
import { fileFailure } from '../../platform/system-error';

/** Whom to trust besides those that Node trusts anyway. */
export interface AuthoritySettings {
  /** A PEM file that the user named in the settings, or undefined. */
  readonly caFile: string | undefined;
  /** Whether those count that the system trusts, as far as this Node can read them. */
  readonly useSystem: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The variables that name authorities: a thread is told no others, for some of them are secrets. */
export function authorityVariables(environment: AuthoritySettings['environment']): AuthoritySettings['environment'] {
  const { SSL_CERT_FILE, NODE_EXTRA_CA_CERTS } = environment;
  return { SSL_CERT_FILE, NODE_EXTRA_CA_CERTS };
}

/**
 * The certificates of all authorities that connections trust; undefined when those of Node are all.
 * @throws Failure('file-access') when the file that the settings name holds no certificates
 */
export async function trustedAuthorities(settings: AuthoritySettings): Promise<readonly string[] | undefined> {
  const { caFile, useSystem, environment } = settings;
  const named = caFile === undefined ? undefined : await certificatesIn(caFile);
  const ofVariable = await readable(environment['SSL_CERT_FILE']);
  const ofSystem = useSystem ? nodeCertificates('system') : undefined;
  const extra = [named, ofVariable, ...(ofSystem ?? [])].filter((pem) => pem !== undefined);
  if (extra.length === 0) return undefined;
  return withoutRepetition([...extra, ...(await usualAuthorities(environment))]);
}

/** The system's authorities are mostly Node's as well, and every one that is read delays the first connection. */
function withoutRepetition(texts: readonly string[]): readonly string[] {
  const known = new Set<string>();
  return texts.flatMap((text) => {
    const rest = text.replaceAll(CERTIFICATE, (certificate) => {
      const content = certificate.replaceAll(/\s/g, '');
      if (known.has(content)) return '';
      known.add(content);
      return certificate;
    });
    return holdsCertificate(rest) ? [rest] : [];
  });
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** What Node trusts when nobody names authorities: naming some replaces these, NODE_EXTRA_CA_CERTS included. */
async function usualAuthorities(environment: AuthoritySettings['environment']): Promise<readonly string[]> {
  const usual = nodeCertificates('default');
  if (usual) return usual;
  const extra = await readable(environment['NODE_EXTRA_CA_CERTS']);
  return extra === undefined ? tls.rootCertificates : [...tls.rootCertificates, extra];
}

/** Certificates as Node 22.15 and newer tell them; undefined from older ones. */
function nodeCertificates(kind: 'default' | 'system'): readonly string[] | undefined {
  if (!('getCACertificates' in tls) || typeof tls.getCACertificates !== 'function') return undefined;
  const found: unknown = tls.getCACertificates(kind);
  return Array.isArray(found) ? found.filter((pem): pem is string => typeof pem === 'string') : undefined;
}

async function certificatesIn(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw fileFailure(error, 'The file of trusted certificates cannot be read.', path);
  });
  if (holdsCertificate(text)) return text;
  throw new Failure('file-access', 'The file of trusted certificates holds none.', {
    subject: path,
    nextStep: 'Name a PEM file in diffusionDock.network.caFile: text that contains "BEGIN CERTIFICATE".'
  });
}

/** Variables outlive the files that they name, as Node itself knows; such a one is left out. */
async function readable(path: string | undefined): Promise<string | undefined> {
  const text = path ? await readFile(path, 'utf8').catch(() => undefined) : undefined;
  return text !== undefined && holdsCertificate(text) ? text : undefined;
}

function holdsCertificate(text: string): boolean {
  return text.includes('-----BEGIN CERTIFICATE-----');
}

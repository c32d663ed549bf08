import { cancelled, Failure, messageOf } from '../../../shared/failure';
import { errorCode } from '../../platform/system-error';
import { CRAWLING } from '../network/gathered-body';
import { TransientFault } from '../source';
import type { HttpClient } from './http-client';
import { PROXY_SETTING, proxyRefusal, refusalByProxy } from './proxy-refusal';
import { describeAddress } from './web-address';

/** What a network fault is explained with. */
export interface Exchange {
  readonly client: HttpClient;
  readonly signal: AbortSignal;
}

/** A broken connection may pass; a certificate that is not trusted does not. */
export function networkFault(error: unknown, url: URL, { client, signal }: Exchange): Error {
  if (error instanceof Failure) return error;
  if (signal.aborted) return cancelled('The transfer');
  const code = errorCode(error) ?? '';
  const subject = describeAddress(url);
  const distrust = certificateFault(code, url);
  if (distrust) return new Failure('network', distrust.message, { subject, nextStep: distrust.nextStep, cause: error });
  const proxy = client.proxyHost(url);
  const status = refusalByProxy(error);
  if (proxy !== undefined && status !== undefined) return proxyRefusal(status, proxy, url, subject);
  const breach = error instanceof Error && error.name === 'HTTPParserError' ? NOT_HTTP : BREACHES[code];
  if (breach !== undefined) return new TransientFault(refused(url, breach, BROKEN_SERVER));
  const reason = REASONS[code] ?? `the connection failed (${code || messageOf(error)})`;
  const failure = new Failure('network', `${wayTo(url, proxy)}: ${reason}.`, {
    subject,
    nextStep: 'Check the network connection and try again; what was transferred is kept.',
    remedy: proxy === undefined ? undefined : PROXY_SETTING,
    cause: error
  });
  return new TransientFault(failure);
}

/** Why a certificate is not trusted, and what to do; undefined for any other error. */
function certificateFault(code: string, { host }: URL): { message: string; nextStep: string } | undefined {
  if (!/CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_/.test(code)) return undefined;
  const [reason, nextStep] = CERTIFICATE_REASONS[code] ?? ['it cannot be verified', TRUST_ISSUER];
  return { message: `The certificate of ${host} is not trusted: ${reason} (${code}).`, nextStep };
}

const TRUST_ISSUER =
  'If you trust its issuer, for example the proxy of your company, name a PEM file with its certificate in diffusionDock.network.caFile or NODE_EXTRA_CA_CERTS.';

const CERTIFICATE_REASONS: Readonly<Record<string, readonly [reason: string, nextStep: string]>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: ['it is signed by itself', TRUST_ISSUER],
  SELF_SIGNED_CERT_IN_CHAIN: ['its issuer is unknown to this machine', TRUST_ISSUER],
  UNABLE_TO_GET_ISSUER_CERT: ['its issuer is unknown to this machine', TRUST_ISSUER],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['its issuer is unknown to this machine', TRUST_ISSUER],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['its issuer is unknown to this machine', TRUST_ISSUER],
  CERT_HAS_EXPIRED: ['it has expired', 'Check the clock of this machine; if it is right, ask whoever runs the host.'],
  CERT_NOT_YET_VALID: ['it is not valid yet', 'Check the clock of this machine.'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['it belongs to another host', 'Check the host in the address.']
};

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host name is unknown',
  // Without a network, names are what fails first.
  EAI_AGAIN: 'the host name cannot be looked up at the moment',
  ENETUNREACH: 'the network cannot be reached',
  EHOSTUNREACH: 'the host cannot be reached',
  ECONNREFUSED: 'the connection was refused',
  // Whether a reset is told as one or as an end depends on what was read before.
  ECONNRESET: 'the connection was closed early',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_HEADERS_TIMEOUT: 'the server does not answer',
  UND_ERR_BODY_TIMEOUT: 'the server stopped sending',
  [CRAWLING]: 'the server sends next to nothing',
  UND_ERR_SOCKET: 'the connection was closed early'
};

const NOT_HTTP = 'sent an answer that is not valid HTTP';

/** What is wrong with an answer rather than with the connection; the parser of undici not always gives a code. */
const BREACHES: Readonly<Record<string, string>> = {
  UND_ERR_HEADERS_OVERFLOW: 'sent more than 64 KiB of headers',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: NOT_HTTP
};

/** What to do about a server that breaks the rules. */
export const BROKEN_SERVER = 'Try again later, or use another source: the server or a proxy before it is broken.';

/** A host, and the proxy that it is reached through, if any. */
export function wayTo({ host }: URL, proxy: string | undefined): string {
  return proxy === undefined ? host : `${host} through the proxy ${proxy}`;
}

export function refused(url: URL, what: string, nextStep?: string): Failure {
  const details = { subject: describeAddress(url), ...(nextStep !== undefined && { nextStep }) };
  return new Failure('bad-response', `${url.host} ${what}.`, details);
}

export function changed(url: URL): Failure {
  return new Failure('bad-response', `${url.host} no longer has the content that was begun.`, {
    subject: describeAddress(url),
    nextStep: 'Try again later: the file is being replaced, or its servers do not agree.'
  });
}

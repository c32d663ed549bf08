import { Failure, type Remedy } from '../../../shared/failure';
import { TransientFault } from '../source';

/** Where the editor keeps the address of its proxy. */
export const PROXY_SETTING: Remedy = { kind: 'setting', key: 'http.proxy' };

/**
 * The status with which a proxy refused a request or a tunnel, or undefined for any other error. undici tells it in
 * the text of its errors alone.
 */
export function refusalByProxy(error: unknown): number | undefined {
  const text = error instanceof Error ? error.message : '';
  const [, tunnel, login] = /^Proxy response \((\d{3})\)|^Proxy Authentication Required \((407)\)/.exec(text) ?? [];
  const status = tunnel ?? login;
  return status === undefined ? undefined : Number(status);
}

/**
 * What a proxy's refusal means for the user.
 * @param proxy host and port of the proxy
 * @param subject the address that was asked for, for people
 */
export function proxyRefusal(status: number, proxy: string, { host }: URL, subject: string): Error {
  // tinyproxy answers a wrong password with 401.
  if (status === 407 || status === 401) {
    return new Failure('network', `The proxy ${proxy} asks for a login (status ${status}).`, {
      subject,
      nextStep: 'Write name and password into the address of the proxy, as in http://name:password@host:port.',
      remedy: PROXY_SETTING
    });
  }
  if (status >= 500) {
    const message = `The proxy ${proxy} does not reach ${host} (status ${status}).`;
    return new TransientFault(new Failure('network', message, { subject, nextStep: 'Try again later.' }));
  }
  return new Failure('network', `The proxy ${proxy} refuses connections to ${host} (status ${status}).`, {
    subject,
    nextStep: 'Ask whoever runs the proxy to allow it, or name the host in NO_PROXY if it can be reached directly.',
    remedy: PROXY_SETTING
  });
}

/** How far a host is, told from its text alone; a name may still lead anywhere, which is not looked into here. */
export type HostReach = 'loopback' | 'link-local' | 'unspecified' | 'private' | 'public';

/**
 * Where a host leads.
 * @param host as the WHATWG URL parser writes it: lower case, IPv4 as four decimals, IPv6 in brackets
 */
export function hostReach(host: string): HostReach {
  const name = host.replace(/\.$/, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return 'loopback';
  const mapped = /^\[::(?:ffff:)?([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(name);
  if (mapped) return ipv4Reach(Number.parseInt(mapped[1] ?? '', 16) >> 8, Number.parseInt(mapped[1] ?? '', 16) & 0xff);
  if (name === '[::1]') return 'loopback';
  if (name === '[::]') return 'unspecified';
  if (/^\[fe[89ab][0-9a-f]:/.test(name)) return 'link-local';
  if (/^\[f[cd][0-9a-f]{2}:/.test(name)) return 'private';
  const ipv4 = /^(\d{1,3})\.(\d{1,3})\.\d{1,3}\.\d{1,3}$/.exec(name);
  return ipv4 ? ipv4Reach(Number(ipv4[1]), Number(ipv4[2])) : 'public';
}

function ipv4Reach(first: number, second: number): HostReach {
  if (first === 127) return 'loopback';
  if (first === 169 && second === 254) return 'link-local';
  if (first === 0) return 'unspecified';
  if (first === 10 || (first === 172 && second >= 16 && second <= 31)) return 'private';
  // 100.64.0.0/10 is what providers put behind their own translation (RFC 6598).
  return (first === 192 && second === 168) || (first === 100 && second >= 64 && second <= 127) ? 'private' : 'public';
}

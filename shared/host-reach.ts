/**
 * How far a host is. `unspecified` is what no single machine answers to: 0.0.0.0, multicast, broadcast and the
 * reserved rest.
 */
export type HostReach = 'loopback' | 'link-local' | 'unspecified' | 'private' | 'public';

/**
 * Where a host leads, told from its text alone: a name other than `localhost` counts as public, and only the address
 * that it resolves to tells more ({@link addressReach}).
 * @param host as the WHATWG URL parser writes it: lower case, IPv4 as four decimals, IPv6 in brackets
 */
export function hostReach(host: string): HostReach {
  const name = host.replace(/\.$/, '').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost')) return 'loopback';
  return addressReach(name.replace(/^\[(.*)\]$/, '$1')) ?? 'public';
}

/**
 * Where an address leads. An IPv6 address that carries an IPv4 one leads where that one leads.
 * @param address IPv4 as four decimals, or IPv6 without brackets in any spelling, with or without a zone
 * @returns undefined when the text is no address
 */
export function addressReach(address: string): HostReach | undefined {
  const octets = ipv4Octets(address);
  if (octets) return ipv4Reach(octets);
  const groups = ipv6Groups(address.replace(/%.*$/, ''));
  return groups && ipv6Reach(groups);
}

function ipv4Octets(text: string): readonly number[] | undefined {
  if (!/^[\d.]+$/.test(text)) return undefined;
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return parts.map(Number);
}

/** The IANA registry of special addresses, as far as something could be fetched from there. */
function ipv4Reach([first = 0, second = 0, third = 0]: readonly number[]): HostReach {
  if (first === 127) return 'loopback';
  if (first === 169 && second === 254) return 'link-local';
  if (first === 0 || first >= 224) return 'unspecified';
  if (first === 10 || (first === 172 && second >= 16 && second <= 31)) return 'private';
  if (first === 192 && (second === 168 || (second === 0 && third === 0))) return 'private';
  // 100.64.0.0/10 is what providers put behind their own translation (RFC 6598). 198.18.0.0/15 stays public: local
  // proxies answer with it for public names.
  return first === 100 && second >= 64 && second <= 127 ? 'private' : 'public';
}

/** The eight groups of an IPv6 address; its end may be written as IPv4. */
function ipv6Groups(text: string): readonly number[] | undefined {
  if (!text.includes(':')) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (!head) return undefined;
  if (halves.length === 1) return head.length === 8 ? head : undefined;
  if (!tail || head.length + tail.length > 7) return undefined;
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

function groupsOf(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const octets = ipv4Octets(parts.at(-1) ?? '');
  const plain = octets ? parts.slice(0, -1) : parts;
  if (!plain.every((part) => /^[0-9a-f]{1,4}$/i.test(part))) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = octets ?? [];
  return [...plain.map((part) => Number.parseInt(part, 16)), ...(octets ? [a * 256 + b, c * 256 + d] : [])];
}

function ipv6Reach(groups: readonly number[]): HostReach {
  const [first = 0, second = 0] = groups;
  const last = octetsOf(groups[6] ?? 0, groups[7] ?? 0);
  // Mapped: the system itself takes it for the IPv4 address.
  if (isZero(groups, 0, 5) && groups[5] === 0xffff) return ipv4Reach(last);
  const embedded = translatedIpv4(groups, last).map(ipv4Reach);
  if (embedded.length > 0) return nearest(embedded);
  if (isZero(groups, 0, 7)) return groups[7] === 1 ? 'loopback' : 'unspecified';
  if (first >> 6 === 0xfe80 >> 6) return 'link-local';
  if (first >> 8 === 0xff) return 'unspecified';
  // Unique local, the deprecated site-local, and NAT64 prefixes of a network's own (RFC 8215).
  if (first >> 9 === 0xfc00 >> 9 || first >> 6 === 0xfec0 >> 6) return 'private';
  return first === 0x64 && second === 0xff9b ? 'private' : 'public';
}

/** The IPv4 addresses that a translator or a tunnel would send packets for an IPv6 one to. */
function translatedIpv4(groups: readonly number[], last: readonly number[]): readonly (readonly number[])[] {
  const [first, second = 0, third = 0, fourth = 0, fifth, sixth, seventh = 0, eighth = 0] = groups;
  // Translated (RFC 2765), and the deprecated compatible form, which `::` and `::1` are not.
  if (isZero(groups, 0, 4) && fifth === 0xffff && sixth === 0) return [last];
  if (isZero(groups, 0, 6) && seventh !== 0) return [last];
  // NAT64 (RFC 6052).
  if (first === 0x64 && second === 0xff9b && isZero(groups, 2, 6)) return [last];
  // 6to4 (RFC 3056).
  if (first === 0x2002) return [octetsOf(second, third)];
  // Teredo (RFC 4380): the server, and the client with its bits turned.
  if (first === 0x2001 && second === 0) return [octetsOf(third, fourth), octetsOf(seventh ^ 0xffff, eighth ^ 0xffff)];
  // ISATAP (RFC 5214).
  return (fifth === 0 || fifth === 0x200) && sixth === 0x5efe ? [last] : [];
}

function isZero(groups: readonly number[], from: number, to: number): boolean {
  return groups.slice(from, to).every((group) => group === 0);
}

function octetsOf(high: number, low: number): readonly number[] {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff];
}

/** Nearest first. Loopback behind a translator is not this machine, and nothing lawful: it counts as `unspecified`. */
const BY_DISTANCE = ['link-local', 'loopback', 'unspecified', 'private', 'public'] as const;

function nearest(reaches: readonly HostReach[]): HostReach {
  const reach = BY_DISTANCE.find((candidate) => reaches.includes(candidate)) ?? 'public';
  return reach === 'loopback' ? 'unspecified' : reach;
}

// Ranges of IP addresses, `192.0.2.0/24`, `2001:db8::/32` or one address (RFC 4632 §3.1, RFC 4291 §2.3). Pure.

/** A prefix of `bits` bits over the 4 or 16 octets of an address. */
export interface AddressRange {
  readonly octets: readonly number[];
  readonly bits: number;
}

/** Parses a range; a bare address is a range of one. Undefined for anything else, bits set behind the prefix included. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const slash = text.indexOf('/');
  const octets = addressOctets(slash < 0 ? text : text.slice(0, slash));
  if (octets === undefined) return undefined;
  if (slash < 0) return { octets, bits: octets.length * 8 };
  const length = text.slice(slash + 1);
  // ::ffff:192.0.2.0/120 is a range of IPv4: its prefix counts from the 96 bits before.
  const before = text.includes(':') && octets.length === 4 ? 96 : 0;
  const bits = Number(length) - before;
  if (!/^\d{1,3}$/.test(length) || bits < 0 || bits > octets.length * 8) return undefined;
  const range = { octets, bits };
  return octets.every((octet, index) => (octet & ~maskAt(index, bits)) === 0) ? range : undefined;
}

/** Formats a range as address/bits. */
export function formatAddressRange({ octets, bits }: AddressRange): string {
  if (octets.length === 4) return `${octets.join('.')}/${bits}`;
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2)
    groups.push((((octets[at] as number) << 8) | (octets[at + 1] as number)).toString(16));
  return `${groups.join(':')}/${bits}`;
}

/** Says whether an address lies in a range; an IPv4 address mapped into IPv6 is IPv4, and no address is in none. */
export function isInRange(address: string, range: AddressRange): boolean {
  const octets = addressOctets(address);
  if (octets === undefined || octets.length !== range.octets.length) return false;
  return octets.every(
    (octet, index) => ((octet ^ (range.octets[index] as number)) & maskAt(index, range.bits)) === 0,
  );
}

const MOST_ADDRESSES = 1000;

/** A test whether an address lies in one of `ranges`; it remembers what it found of the last addresses. */
export function createRangeTest(ranges: readonly AddressRange[]): (address: string) => boolean {
  const known = new Map<string, boolean>();
  return (address) => {
    if (ranges.length === 0) return false;
    let found = known.get(address);
    if (found === undefined) {
      found = ranges.some((range) => isInRange(address, range));
      if (known.size >= MOST_ADDRESSES) known.clear();
      known.set(address, found);
    }
    return found;
  };
}

/** The octets of an IPv4 or IPv6 literal, brackets and zone aside; undefined where it is none. */
export function addressOctets(text: string): number[] | undefined {
  if (!text.includes(':')) return ipv4Octets(text);
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  const zone = bare.indexOf('%');
  const octets = ipv6Octets(zone < 0 ? bare : bare.slice(0, zone));
  const isMapped = octets?.slice(0, 12).every((octet, index) => octet === (index < 10 ? 0 : 0xff));
  return isMapped ? octets?.slice(12) : octets;
}

/** The bits of octet `index` that belong to a prefix. */
function maskAt(index: number, bits: number): number {
  const left = Math.min(8, Math.max(0, bits - index * 8));
  return (0xff << (8 - left)) & 0xff;
}

function ipv4Octets(text: string): number[] | undefined {
  const parts = text.split('.', 5);
  if (parts.length !== 4) return undefined;
  const octets = parts.map((part) => (/^(?:0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  return octets.every((octet) => octet < 256) ? octets : undefined;
}

function ipv6Octets(text: string): number[] | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupOctets(halves[0] as string, halves.length === 1);
  const tail = halves.length === 1 ? [] : groupOctets(halves[1] as string, true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** The octets of `1:2:3`; the last group of an address may be IPv4. */
function groupOctets(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return [];
  const octets: number[] = [];
  const groups = text.split(':');
  for (let index = 0; index < groups.length; index++) {
    const group = groups[index] as string;
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      octets.push(value >> 8, value & 0xff);
    } else {
      const embedded = mayEndInIpv4 && index === groups.length - 1 ? ipv4Octets(group) : undefined;
      if (embedded === undefined) return undefined;
      octets.push(...embedded);
    }
  }
  return octets;
}

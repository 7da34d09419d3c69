// The types of values that configuration keywords take: words of a line in, a value out, and back (DESIGN §3). Pure.

import { type AddressRange, addressOctets, formatAddressRange, parseAddressRange } from './address-range.ts';
import { parseDatabaseUrl, UNIX_URL } from './database-url.ts';
import { hasKnownTokens } from './tokens.ts';

/** One type of value. `parse` gives undefined for words that are none; `format` gives the words of each line. */
export interface ValueType<T> {
  /** What a fault says behind `expected`, and a manual behind the keyword. */
  readonly expected: string;
  readonly parse: (words: readonly string[]) => T | undefined;
  readonly format: (value: T) => readonly (readonly string[])[];
}

/** One value of `Listen`. `host` is `*` or an IP literal without brackets; port 0 is any. */
export interface ListenValue {
  readonly transport: 'udp' | 'tcp';
  readonly host: string;
  readonly port: number;
  readonly advertise?: { readonly host: string; readonly port?: number };
}

/** One UDP port of one address; `address` is an IP literal without brackets. */
export interface UdpAddress {
  readonly address: string;
  readonly port: number;
}

/** Events a second, and how many at once. */
export interface Rate {
  readonly rate: number;
  readonly burst: number;
}

/** A name-value pair of `Attr`. */
export interface Attribute {
  readonly name: string;
  readonly value: string;
}

/** One line of `CallingGroup`. */
export interface CallingGroup {
  readonly group: string;
  readonly patterns: readonly string[];
}

const DEFAULT_PORT = 5060;
/** What PostgreSQL and MySQL take unquoted, and no longer than either has it. */
const SQL_NAME = /^[A-Za-z_]\w{0,62}$/;

/** A type of exactly one word. */
export function oneWord<T>(
  expected: string,
  parse: (word: string) => T | undefined,
  format: (value: T) => string = String,
): ValueType<T> {
  return {
    expected,
    parse: (words) => (words.length === 1 ? parse(words[0] as string) : undefined),
    format: (value) => [[format(value)]],
  };
}

/** A type of one or more words, each an element. */
function manyWords<T>(
  expected: string,
  parse: (word: string) => T | undefined,
  format: (value: T) => string = String,
): ValueType<readonly T[]> {
  return {
    expected,
    parse: (words) => (words.length === 0 ? undefined : allDefined(words.map(parse))),
    format: (values) => (values.length === 0 ? [] : [values.map(format)]),
  };
}

function allDefined<T>(values: readonly (T | undefined)[]): readonly T[] | undefined {
  return values.includes(undefined) ? undefined : (values as readonly T[]);
}

/** `yes` or `no`. */
export const yesNo: ValueType<boolean> = oneWord(
  'yes or no',
  (word) => (/^yes$/i.test(word) ? true : /^no$/i.test(word) ? false : undefined),
  (value) => (value ? 'yes' : 'no'),
);

/** A whole number. */
export function integer(min: number, max: number): ValueType<number> {
  return oneWord(`a whole number from ${min} to ${max}`, (word) =>
    inRange(/^\d{1,10}$/.test(word), +word, min, max),
  );
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/** A time in seconds, or with units as in sshd_config(5): `45`, `30m`, `12h`, `1h30m`. */
export function duration(min: number, max: number): ValueType<number> {
  return oneWord(`a time from ${min} to ${max} seconds, as 45, 30m or 12h`, (word) => {
    if (!/^(?:\d{1,10}[smhdwSMHDW]?){1,5}$/.test(word) || word.length > 24) return undefined;
    let seconds = 0;
    for (const [, count, unit = 's'] of word.matchAll(/(\d+)([a-z]?)/gi))
      seconds += Number(count) * (UNITS[unit.toLowerCase()] ?? 1);
    return inRange(true, seconds, min, max);
  });
}

function inRange(isNumber: boolean, value: number, min: number, max: number): number | undefined {
  return isNumber && value >= min && value <= max ? value : undefined;
}

/** One word, any. */
export function word(expected: string): ValueType<string> {
  return oneWord(expected, (text) => (text === '' ? undefined : text));
}

/** Any text; several words are joined by spaces. */
export function phrase(expected: string): ValueType<string> {
  return {
    expected,
    parse: (words) => words.join(' ') || undefined,
    format: (value) => [[value]],
  };
}

/** One or more words, any. */
export function words(expected: string): ValueType<readonly string[]> {
  return manyWords(expected, (text) => (text === '' ? undefined : text));
}

/** One of the words listed, without case. */
export function choice<const T extends string>(...options: readonly T[]): ValueType<T> {
  return oneWord(listed(options), (text) => options.find((option) => option === text.toLowerCase()));
}

function listed(options: readonly string[]): string {
  return options.length < 2 ? options.join() : `${options.slice(0, -1).join(', ')} or ${options.at(-1)}`;
}

/** An absolute path, or one that begins with a token. */
export const path: ValueType<string> = oneWord('an absolute path', (text) =>
  (text.startsWith('/') || text.startsWith('%h/')) && hasKnownTokens(text) ? text : undefined,
);

/** A URI, number or name to forward to; tokens allowed. */
export const target: ValueType<string> = oneWord('a URI, a number or a user name', (text) =>
  text !== '' && !/[\x00-\x20<>"]/.test(text) && hasKnownTokens(text) ? text : undefined,
);

/** `unix:` or where a database is. */
export const databaseUrl: ValueType<string> = oneWord(
  'unix:, postgres://USER@HOST/DATABASE or mysql://USER@HOST/DATABASE, the password in DbPasswordFile',
  (text) => (text === UNIX_URL || parseDatabaseUrl(text) !== undefined ? text : undefined),
);

/** The name of a table or column of SQL. */
export const sqlName: ValueType<string> = oneWord('a name of letters, digits and _', (text) =>
  SQL_NAME.test(text) ? text : undefined,
);

/** Names of columns, as auth_db has them with `|` between them too; `none` is an empty list. */
export const sqlNames: ValueType<readonly string[]> = {
  expected: 'names of columns, or none',
  parse(words) {
    const names = words.flatMap((word) => word.split('|'));
    if (names.length === 1 && names[0] === 'none') return [];
    return names.length > 0 && names.every((name) => SQL_NAME.test(name)) ? names : undefined;
  },
  format: (names) => [names.length === 0 ? ['none'] : [...names]],
};

/** Host names or addresses, kept in lower case. */
export const hosts: ValueType<readonly string[]> = manyWords('one or more host names or addresses', (text) =>
  isHost(text) ? text.toLowerCase() : undefined,
);

/** Ranges of addresses. */
export const addressRanges: ValueType<readonly AddressRange[]> = manyWords(
  'one or more addresses or ranges, as 192.0.2.0/24 or 2001:db8::/32',
  parseAddressRange,
  formatAddressRange,
);

/** DNS servers, kept as they are written. */
export const dnsServers: ValueType<readonly string[]> = manyWords(
  'one or more of ADDRESS, ADDRESS:PORT or [IPv6]:PORT',
  (text) => (addressOctets(text) !== undefined || isAddressPort(text) ? text : undefined),
);

function isAddressPort(text: string): boolean {
  const address = hostPort(text, true);
  return address !== undefined && address.host !== '*' && address.port !== 0;
}

/** A time zone of the tz database. */
export const timeZone: ValueType<string> = oneWord('a time zone, as Europe/Prague', (text) => {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: text }) && text;
  } catch {
    return undefined;
  }
});

const ALGORITHMS = ['MD5', 'SHA-256', 'SHA-512-256'] as const;

/** Digest algorithms in the order in which they are offered; spaces or commas between them, none twice. */
export const algorithms: ValueType<readonly (typeof ALGORITHMS)[number][]> = {
  expected: 'MD5, SHA-256 and SHA-512-256 in the order offered, each at most once',
  parse(parts) {
    const names = parts.flatMap((part) => part.split(',')).filter((name) => name !== '');
    const known = allDefined(names.map((name) => ALGORITHMS.find((one) => one === name.toUpperCase())));
    return known === undefined || known.length === 0 || new Set(known).size < known.length
      ? undefined
      : known;
  },
  format: (value) => [value],
};

/** `N/M`: N a second, M at once. */
export const rate: ValueType<Rate> = oneWord(
  'N/M: how many a second, how many at once',
  (text) => {
    const match = /^(\d{1,7})\/(\d{1,7})$/.exec(text);
    const [per, burst] = [Number(match?.[1]), Number(match?.[2])];
    return per > 0 && burst > 0 ? { rate: per, burst } : undefined;
  },
  ({ rate: per, burst }) => `${per}/${burst}`,
);

/** `Attr NAME VALUE`. */
export const attribute: ValueType<readonly Attribute[]> = {
  expected: 'NAME VALUE',
  parse([name = '', ...rest]) {
    return name === '' || rest.length === 0 ? undefined : [{ name, value: rest.join(' ') }];
  },
  format: (values) => values.map(({ name, value }) => [name, value]),
};

/** `CallingGroup GROUP PATTERN…`. */
export const callingGroup: ValueType<readonly CallingGroup[]> = {
  expected: 'GROUP PATTERN...',
  parse([group = '', ...patterns]) {
    return group === '' || patterns.length === 0 || patterns.includes('') ? undefined : [{ group, patterns }];
  },
  format: (values) => values.map(({ group, patterns }) => [group, ...patterns]),
};

/** `Listen udp:*:5060 [advertise host[:port]]`, once or more a line; without a port 5060. */
export const listen: ValueType<readonly ListenValue[]> = {
  expected: 'udp:ADDRESS:PORT or tcp:ADDRESS:PORT [advertise HOST[:PORT]], ADDRESS being *, IPv4 or [IPv6]',
  parse(parts) {
    const values: ListenValue[] = [];
    for (let at = 0; at < parts.length; at++) {
      const socket = listenSocket(parts[at] as string);
      if (socket === undefined) return undefined;
      if (parts[at + 1]?.toLowerCase() !== 'advertise') values.push(socket);
      else {
        const advertise = hostPort(parts[at + 2] ?? '');
        if (advertise === undefined) return undefined;
        values.push({ ...socket, advertise });
        at += 2;
      }
    }
    return values.length === 0 ? undefined : values;
  },
  format: (values) =>
    values.map(({ transport, host, port, advertise }) => {
      const socket = `${transport}:${bracketed(host)}:${port}`;
      if (advertise === undefined) return [socket];
      const where = bracketed(advertise.host);
      return [socket, 'advertise', advertise.port === undefined ? where : `${where}:${advertise.port}`];
    }),
};

/** `udp:ADDRESS:PORT` of another program: an IP literal and a port that is one. */
export const udpAddress: ValueType<UdpAddress> = oneWord(
  'udp:ADDRESS:PORT, ADDRESS being IPv4 or [IPv6]',
  (text) => {
    const socket = /^udp:/i.test(text) ? hostPort(text.slice(4), true) : undefined;
    return socket?.port && socket.host !== '*' ? { address: socket.host, port: socket.port } : undefined;
  },
  ({ address, port }) => `udp:${bracketed(address)}:${port}`,
);

function listenSocket(text: string): ListenValue | undefined {
  const transport = text.slice(0, 4).toLowerCase();
  if (transport !== 'udp:' && transport !== 'tcp:') return undefined;
  const address = hostPort(text.slice(4), true);
  if (address === undefined) return undefined;
  const { host, port = DEFAULT_PORT } = address;
  return { transport: transport === 'udp:' ? 'udp' : 'tcp', host, port };
}

/**
 * `host`, `host:port`, `[::1]:port`, the host without brackets; a socket's host is `*` or an IP literal and its port may
 * be 0.
 */
export function hostPort(text: string, isSocket = false): { host: string; port?: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const host = (match[1] ?? match[2]) as string;
  const isLiteral = addressOctets(host) !== undefined && (match[1] === undefined || host.includes(':'));
  if (isSocket ? !isLiteral && host !== '*' : !isHost(match[1] === undefined ? host : `[${host}]`))
    return undefined;
  if (match[3] === undefined) return { host };
  const port = Number(match[3]);
  return port > 65535 || (port === 0 && !isSocket) ? undefined : { host, port };
}

function isHost(text: string): boolean {
  if (text.includes(':')) return addressOctets(text) !== undefined;
  return text.length <= 255 && /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/.test(text);
}

/** A host as URIs and sockets write it: IPv6 in brackets. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

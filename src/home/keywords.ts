// The one table of configuration keywords (DESIGN §3): scope, type, default and help.
// The parser, the tools' help, `config check` and the manual go by it. Pure.

import {
  addressRanges,
  algorithms,
  attribute,
  callingGroup,
  choice,
  databaseUrl,
  dnsServers,
  duration,
  hosts,
  integer,
  listen,
  path,
  phrase,
  rate,
  sqlName,
  sqlNames,
  target,
  timeZone,
  udpAddress,
  type ValueType,
  word,
  words,
  yesNo,
} from './keyword-values.ts';
import { metricsAddress } from './metrics-address.ts';
import { nearestName } from './nearest-name.ts';

/** Where a keyword may stand: the server's file alone, or both files (`user` and `both` differ in whom they concern). */
type Scope = 'server' | 'user' | 'both';

/** One keyword. `T` is what its lines say, `D` what holds without any. */
export interface Keyword<T, D = T> {
  readonly scope: Scope;
  readonly value: ValueType<T>;
  /** Undefined where it depends on the host or the account; `help` says how. */
  readonly default: D;
  /** One line. */
  readonly help: string;
  /** The lines of a file accumulate instead of the first winning. */
  readonly list: boolean;
  /** A list of which the first line of each first word counts, over both files. */
  readonly keyed: boolean;
  /** The server's number is the most a user's can be. */
  readonly capped: boolean;
}

interface Options {
  readonly list?: true;
  readonly keyed?: true;
  readonly capped?: true;
}

const LIST = { list: true } as const;
const DAY = 86_400;
const YEAR = 365 * DAY;

const server = factory('server');
const user = factory('user');
const both = factory('both');

/** Every keyword. */
export const keywords = {
  Listen: server(
    listen,
    [
      { transport: 'udp', host: '*', port: 5060 },
      { transport: 'tcp', host: '*', port: 5060 },
    ],
    'Sockets to serve on; * is one for each local address',
    LIST,
  ),
  Realm: server(
    word('a realm'),
    undefined,
    'Realm of challenges and passwords; default: the host name in lower case',
  ),
  Domain: server(hosts, [], 'Domains that are local besides Realm and the names of this host', LIST),
  AllowGroups: server(
    words('group names'),
    [],
    'Serve members of these groups only; default: sip when run by root',
    LIST,
  ),
  DenyGroups: server(words('group names'), [], 'Serve no member of these groups', LIST),
  AllowUsers: server(words('user names'), [], 'Serve these users only', LIST),
  DenyUsers: server(words('user names'), [], 'Do not serve these users', LIST),
  MinUid: server(integer(0, 2 ** 32 - 2), 1000, 'Serve no account with a lower uid'),
  UsePAM: server(yesNo, false, 'Ask PAM whether the account may be used'),
  PAMService: server(word('a PAM service name'), 'sip', 'PAM service that UsePAM asks'),
  StrictModes: server(yesNo, true, 'Refuse files in homes that others could have written'),
  DigestAlgorithms: server(algorithms, ['MD5'], 'Digest algorithms to offer, in this order'),
  NonceLifetime: server(duration(1, DAY), 300, 'How long a nonce can be used'),
  KeyFile: server(
    path,
    undefined,
    'File of the keys; default: /var/lib/sr/key, or ~/.sr/key of an ordinary user',
  ),
  CalculateHa1: server(
    yesNo,
    false,
    'Compute hashes from {PLAIN} passwords instead of using the stored ones',
  ),
  UseDid: server(yesNo, false, 'Select credentials by domain id too'),
  LoadCredentials: server(
    sqlNames,
    ['uid'],
    'Fields of the credential that become attributes of the request',
  ),
  MinExpires: server(duration(1, 3600), 60, 'Shortest registration; a shorter wish is answered 423'),
  DefaultExpires: server(duration(1, YEAR), 3600, 'Registration of a phone that names no time'),
  MaxExpires: server(duration(1, YEAR), 7200, 'Longest registration'),
  MaxContacts: both(
    integer(1, 1000),
    10,
    'Most contacts of one user; in a user file at most the server value',
    {
      capped: true,
    },
  ),
  MaxContactsPolicy: server(
    choice('replace-oldest', 'reject'),
    'replace-oldest',
    'What happens to a contact over MaxContacts',
  ),
  SyncUsrloc: server(yesNo, false, 'Wait for the disk before a registration is confirmed'),
  AllowUnauthenticated: server(yesNo, false, 'Take calls of anybody without authentication'),
  AllowForeign: server(yesNo, true, 'Let users call other domains'),
  FollowRedirects: server(
    yesNo,
    false,
    'Call where a phone redirects to instead of telling the caller, as a forward of the callee',
  ),
  TrustedPeers: server(addressRanges, [], 'Addresses whose requests need no authentication', {
    list: true,
  }),
  CallingGroup: server(callingGroup, [], 'What members of a group may call', LIST),
  RtpEngine: server(udpAddress, undefined, 'RTP relay for calls across NAT'),
  Resolver: server(dnsServers, [], 'DNS servers to ask, in order; default: those of the host', LIST),
  WriteWtmp: server(yesNo, true, 'Write registrations to wtmp, where last(1) shows them'),
  Accounting: both(yesNo, true, 'Keep a record of each call'),
  MaxCallDuration: server(
    duration(1, YEAR),
    43_200,
    'How long a call lasts in its record when nobody says that it has ended',
  ),
  TimerT1: server(integer(10, 60_000), 500, 'Estimated round-trip time in milliseconds (RFC 3261 §17.1.1.1)'),
  TimerC: server(duration(181, DAY), 185, 'How long a call may ring at a proxy (RFC 3261 §16.6)'),
  BranchTimeout: server(duration(1, 32), 4, 'How long a branch may stay without any answer'),
  MaxAuthTries: server(
    integer(1, 1_000_000),
    10,
    'Wrong passwords for one account from one address in ten minutes before a ban',
  ),
  BanTime: server(duration(0, YEAR), 600, 'How long a ban holds; 0: nobody is banned'),
  RateLimit: server(rate, { rate: 100, burst: 500 }, 'Requests a second and at once from one address'),
  LogLevel: server(
    choice('error', 'warning', 'notice', 'info', 'debug'),
    'info',
    'Least important messages to log',
  ),
  SyslogFacility: server(
    choice(
      ...(['daemon', 'user', 'local0', 'local1', 'local2', 'local3'] as const),
      ...(['local4', 'local5', 'local6', 'local7'] as const),
    ),
    'daemon',
    'Facility of log messages; those of authentication go to authpriv',
  ),
  ControlSocket: server(
    path,
    undefined,
    'Socket that sipctl talks to the server by; default: /run/sr/control.sock, or an own one of an ordinary user',
  ),
  Metrics: server(metricsAddress, 'none', 'Where to offer metrics over HTTP; a port alone is on loopback'),
  ServerUser: server(word('a user name'), 'sr', 'Account of the process that has the network sockets'),
  DbUrl: server(databaseUrl, 'unix:', 'Where accounts are; unix: is NSS and ~/.sr'),
  DbPasswordFile: server(path, undefined, 'File of the password for DbUrl, which nobody else can read'),
  CredentialsTable: server(sqlName, 'credentials', 'Table of credentials behind DbUrl'),
  UsernameColumn: server(sqlName, 'auth_username', 'Column of the digest username'),
  RealmColumn: server(sqlName, 'realm', 'Column of the realm'),
  PasswordColumn: server(sqlName, 'ha1', 'Column of HA1'),
  PasswordColumn2: server(sqlName, 'ha1b', 'Column of HA1 over user@domain; none: there is none'),
  PlainPasswordColumn: server(sqlName, 'password', 'Column of the plain password; none: there is none'),
  DidColumn: server(sqlName, 'did', 'Column of the domain id; none: there is none'),
  FlagsColumn: server(sqlName, 'flags', 'Column of the flags; none: every row counts'),
  CredentialsCache: server(duration(0, DAY), 0, 'How long credentials of a database are remembered'),
  DbReadHashes: server(yesNo, false, 'Let clients of sipctl db serve read passwords and hashes'),
  DbWrite: server(yesNo, false, 'Let clients of sipctl db serve change passwords and settings'),
  DbPeers: server(words('user names'), ['root'], 'Accounts that sipctl db serve lets in by its socket', LIST),
  DbCredentials: server(
    path,
    undefined,
    'File of the user name and password that sipctl db serve lets in with',
  ),
  DisplayName: user(phrase('a name'), undefined, 'Name that is shown to others; default: the GECOS field'),
  ForwardAlways: user(target, undefined, 'Where all calls go'),
  ForwardBusy: user(target, undefined, 'Where calls go while the line is busy'),
  ForwardNoAnswer: user(target, undefined, 'Where calls go that nobody answers'),
  ForwardUnreachable: user(target, undefined, 'Where calls go while no phone is registered'),
  NoAnswerTimeout: user(duration(1, 180), 20, 'How long phones ring before ForwardNoAnswer'),
  DoNotDisturb: user(yesNo, false, 'Answer all calls busy'),
  Block: user(words('one or more URI patterns'), [], 'Callers to refuse', LIST),
  Allow: user(words('one or more URI patterns'), [], 'Callers to let through before Block is asked', {
    list: true,
  }),
  AnonymousCalls: user(choice('allow', 'reject'), 'allow', 'What happens to calls without a caller'),
  TimeZone: user(timeZone, undefined, 'Zone of the times in Match; default: the one of the host'),
  Attr: both(attribute, [], 'Any other name and value of a user', { list: true, keyed: true }),
};

/** The name of a keyword, as the table spells it. */
export type KeywordName = keyof typeof keywords;

/** The keywords that begin a block, with their arguments and help. */
export const blockKeywords = {
  Match: {
    arguments: 'CRITERION VALUE... | all',
    help: 'Settings for requests that meet all criteria',
  },
  Gateway: { arguments: 'NAME', help: 'Another SIP server that calls go to and come from' },
} as const;

const NAMES = Object.keys(keywords) as KeywordName[];
const BY_LOWER_CASE = new Map(NAMES.map((name) => [name.toLowerCase(), name]));

/** The keyword of any case; undefined where there is none. */
export function findKeyword(text: string): KeywordName | undefined {
  return BY_LOWER_CASE.get(text.toLowerCase());
}

/** The entry of a keyword, its types aside. */
export function keywordEntry(name: KeywordName): Keyword<unknown> {
  return keywords[name] as unknown as Keyword<unknown>;
}

/** The keyword, block keywords included, that a typo most likely means in a file of this scope; undefined if none is near. */
export function nearestKeyword(text: string, scope: 'server' | 'user'): string | undefined {
  const isHere = (name: KeywordName) => scope === 'server' || keywordEntry(name).scope !== 'server';
  const blocks = scope === 'server' ? Object.keys(blockKeywords) : ['Match'];
  return nearestName(text, [...NAMES.filter(isHere), ...blocks]);
}

/** Makes keywords of one scope; without a default a keyword's value may be undefined. */
interface KeywordFactory {
  <T>(value: ValueType<T>, byDefault: undefined, help: string, options?: Options): Keyword<T, undefined>;
  <T>(value: ValueType<T>, byDefault: NoInfer<T>, help: string, options?: Options): Keyword<T>;
}

function factory(scope: Scope): KeywordFactory {
  return <T>(value: ValueType<T>, byDefault: T, help: string, options: Options = {}): Keyword<T> => {
    const { list = false, keyed = false, capped = false } = options;
    return { scope, value, default: byDefault, help, list, keyed, capped };
  };
}

// The Name Service Switch: accounts and groups by passwd(5), LDAP or whatever nsswitch.conf(5) names.
// Names are text here, not octet strings. Blocking calls: never within `asUser`.

import { cString, errno, errnoName, koffi, libc } from './libc.ts';

/** One account of the host. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly gecos: string;
  readonly home: string;
  readonly shell: string;
}

/** One group of the host. `members` are those named in the group; whose primary group it is, accounts tell. */
export interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** NSS can't say whether the name exists: a directory server out of reach, no memory. */
export class NssError extends Error {
  override readonly name = 'NssError';
}

const LONGEST_NAME = 256;
const FIRST_BUFFER = 1024;
const LARGEST_BUFFER = 8 * 1024 * 1024;
const MOST_GROUPS = 65_536;
const MOST_ACCOUNTS = 1_000_000;

/** Finds an account by its name; undefined when there is none. Throws NssError when NSS can't say. */
export function findAccount(name: string): Account | undefined {
  if (!isLookedUp(name)) return undefined;
  const c = nss();
  const key = cString(name);
  return lookUp(`passwd ${name}`, (buffer, result) =>
    c.getpwnam(key, c.passwd, buffer, buffer.length, result),
  )
    ? accountOf(c.passwd)
    : undefined;
}

/** Finds an account by its uid; undefined when there is none. Throws NssError when NSS can't say. */
export function findAccountByUid(uid: number): Account | undefined {
  const c = nss();
  return lookUp(`passwd ${uid}`, (buffer, result) => c.getpwuid(uid, c.passwd, buffer, buffer.length, result))
    ? accountOf(c.passwd)
    : undefined;
}

/** Finds a group by its name; undefined when there is none. Throws NssError when NSS can't say. */
export function findGroup(name: string): Group | undefined {
  return groupExists(name) ? readGroup() : undefined;
}

/** Whether there is a group of this name, whose members nobody wants to know. Throws NssError when NSS can't say. */
export function groupExists(name: string): boolean {
  if (!isLookedUp(name)) return false;
  const c = nss();
  const key = cString(name);
  return lookUp(`group ${name}`, (buffer, result) => c.getgrnam(key, c.group, buffer, buffer.length, result));
}

/** Finds a group by its gid; undefined when there is none. Throws NssError when NSS can't say. */
export function findGroupById(gid: number): Group | undefined {
  return lookUpGid(gid) ? readGroup() : undefined;
}

/** The name of the group of this gid: a group may have 100,000 members. Throws NssError when NSS can't say. */
export function findGroupName(gid: number): string | undefined {
  if (!lookUpGid(gid)) return undefined;
  return koffi().decode(nss().group, nss().groupType as string).name;
}

/** The gids of an account's groups, the primary one included. What NSS can't reach is silently absent. */
export function groupIdsOf(account: Account): number[] {
  const c = nss();
  const name = cString(account.name);
  for (let room = 64; room <= MOST_GROUPS; room *= 4) {
    const list = new Uint32Array(room);
    const count = Int32Array.of(room);
    const answer = c.getgrouplist(name, account.gid, list, count);
    if (answer >= 0) return [...list.subarray(0, Math.min(answer, room))];
  }
  throw new NssError(`group list of ${account.name}: more than ${MOST_GROUPS} groups`);
}

/** All accounts that NSS enumerates, in its order; directories often enumerate none. Throws NssError. */
export function listAccounts(): Account[] {
  const c = nss();
  const accounts: Account[] = [];
  c.setpwent();
  try {
    while (accounts.length < MOST_ACCOUNTS) {
      koffi().errno(0);
      const entry = c.getpwent();
      if (entry === null) {
        const number = libc().errno();
        if (!isNotFound(number)) throw new NssError(`passwd: ${errnoName(number)}`);
        break;
      }
      accounts.push(accountOf(entry));
    }
  } finally {
    c.endpwent();
  }
  return accounts;
}

/** The account of whoever runs the program. Throws when his uid has none. */
export function invokingAccount(): Account {
  const uid = (process.getuid as () => number)();
  const account = findAccountByUid(uid);
  if (account === undefined) throw new NssError(`uid ${uid} has no account`);
  return account;
}

/** Calls a reentrant function with growing room; whether it found anything. `hidden`: EACCES finds nothing. */
export function lookUp(
  what: string,
  call: (buffer: Buffer, result: BigUint64Array) => number,
  hidden = false,
): boolean {
  for (let bytes = FIRST_BUFFER; ; bytes *= 4) {
    const buffer = takeRoom(bytes);
    result[0] = 0n;
    koffi().errno(0);
    const answer = call(buffer, result);
    // nss_wrapper answers -1 and sets errno, where POSIX wants the number answered.
    const number = answer < 0 ? libc().errno() : answer;
    if (number === 0) return result[0] !== 0n;
    if (number === errno.ERANGE && bytes < LARGEST_BUFFER) continue;
    if (isNotFound(number) || (hidden && number === errno.EACCES)) return false;
    throw new NssError(`${what}: ${errnoName(number)}`);
  }
}

const result = new BigUint64Array(1);
const smallRoom = Buffer.alloc(FIRST_BUFFER);
/** The strings of the last answer lie in here: it must live until they are decoded. */
let room = smallRoom;

function takeRoom(bytes: number): Buffer {
  room = bytes === FIRST_BUFFER ? smallRoom : Buffer.alloc(Math.min(bytes, LARGEST_BUFFER));
  return room;
}

/** getpwnam_r(3): which of these mean "not found" differs between modules. */
function isNotFound(number: number): boolean {
  return number === 0 || number === errno.ENOENT || number === errno.ESRCH;
}

function isLookedUp(name: string): boolean {
  return name !== '' && !/[\0/:\n]/.test(name) && Buffer.byteLength(name, 'utf8') <= LONGEST_NAME;
}

interface Nss {
  readonly passwd: Buffer;
  readonly group: Buffer;
  accountType: unknown;
  groupType: unknown;
  getpwnam(name: Buffer, into: Buffer, room: Buffer, size: number, found: BigUint64Array): number;
  getpwuid(uid: number, into: Buffer, room: Buffer, size: number, found: BigUint64Array): number;
  getgrnam(name: Buffer, into: Buffer, room: Buffer, size: number, found: BigUint64Array): number;
  getgrgid(gid: number, into: Buffer, room: Buffer, size: number, found: BigUint64Array): number;
  getgrouplist(name: Buffer, gid: number, into: Uint32Array, count: Int32Array): number;
  setpwent(): void;
  getpwent(): bigint | null;
  endpwent(): void;
}

let bound: Nss | undefined;

function nss(): Nss {
  bound ??= bind();
  return bound;
}

function bind(): Nss {
  const k = koffi();
  const library = k.load(null);
  const declare = <T>(name: string, result: string, parameters: string[]): T =>
    library.func(name, result, parameters) as unknown as T;
  const accountType = k.struct({
    name: 'const char *',
    password: 'void *',
    uid: 'uint',
    gid: 'uint',
    gecos: 'const char *',
    home: 'const char *',
    shell: 'const char *',
  });
  const groupType = k.struct({ name: 'const char *', password: 'void *', gid: 'uint', members: 'void *' });
  return {
    accountType,
    groupType,
    passwd: Buffer.alloc(k.sizeof(accountType)),
    group: Buffer.alloc(k.sizeof(groupType)),
    getpwnam: declare('getpwnam_r', 'int', ['void *', 'void *', 'void *', 'size_t', 'void *']),
    getpwuid: declare('getpwuid_r', 'int', ['uint', 'void *', 'void *', 'size_t', 'void *']),
    getgrnam: declare('getgrnam_r', 'int', ['void *', 'void *', 'void *', 'size_t', 'void *']),
    getgrgid: declare('getgrgid_r', 'int', ['uint', 'void *', 'void *', 'size_t', 'void *']),
    getgrouplist: declare('getgrouplist', 'int', ['void *', 'uint', 'void *', 'void *']),
    setpwent: declare('setpwent', 'void', []),
    getpwent: declare('getpwent', 'void *', []),
    endpwent: declare('endpwent', 'void', []),
  };
}

/** Reads a struct passwd; its strings are copied, and the password field is not looked at. */
function accountOf(entry: Buffer | bigint): Account {
  const { name, uid, gid, gecos, home, shell } = koffi().decode(entry, nss().accountType as string);
  return { name, uid, gid, gecos: gecos ?? '', home: home ?? '', shell: shell ?? '' };
}

function lookUpGid(gid: number): boolean {
  const c = nss();
  return lookUp(`group ${gid}`, (buffer, result) => c.getgrgid(gid, c.group, buffer, buffer.length, result));
}

/** The group that was looked up last. */
function readGroup(): Group {
  const k = koffi();
  const { name, gid, members: list } = k.decode(nss().group, nss().groupType as string);
  const members: string[] = [];
  const pointer = k.sizeof('void *');
  for (let offset = 0; list !== null; offset += pointer) {
    const member = k.decode(list, offset, 'const char *') as string | null;
    if (member === null) break;
    members.push(member);
  }
  return { name, gid, members };
}

// ~/.sr/passwd: digest credentials, one a line, the fields of auth_db's `credentials` table (DESIGN §2). Pure.

import { addFault, type Fault } from './fault.ts';
import { editLines, isDataLine, splitLines } from './lines.ts';
import { isPasswordForm } from './password-form.ts';
import { decodeField, encodeField, encodeOctet } from './percent.ts';

/** One line of passwd. All texts are octet strings; missing fields are empty; hashes are lower-case hex or empty. */
export interface Credential {
  readonly authUsername: string;
  readonly realm: string;
  readonly did: string;
  readonly uid: string;
  /** serctl letters: `s` LOAD_SER, `d` DISABLED; others are kept. */
  readonly flags: string;
  /** Empty or a form of password-form.ts. */
  readonly password: string;
  readonly ha1: string;
  readonly ha1b: string;
  readonly ha1Sha256: string;
  readonly ha1bSha256: string;
  readonly ha1Sha512_256: string;
  readonly ha1bSha512_256: string;
  readonly changed: string;
  /** Fields after the known ones, as they stand in the file. */
  readonly extra: readonly string[];
  /** Counts from 1; 0 for a credential that is not in a file yet. */
  readonly line: number;
}

const FIELDS = [
  'authUsername',
  'realm',
  'did',
  'uid',
  'flags',
  'password',
  'ha1',
  'ha1b',
  'ha1Sha256',
  'ha1bSha256',
  'ha1Sha512_256',
  'ha1bSha512_256',
  'changed',
] as const;
/** The names of the fields in the file, for faults. */
const NAMES = [
  'auth_username',
  'realm',
  'did',
  'uid',
  'flags',
  'password',
  'ha1',
  'ha1b',
  'ha1_sha256',
  'ha1b_sha256',
  'ha1_sha512_256',
  'ha1b_sha512_256',
  'changed',
] as const;
/** The fields that are hashes, by their place. */
const HASHES = FIELDS.flatMap((field, index) =>
  field.startsWith('ha1') ? [{ index, length: field.includes('256') ? 64 : 32 }] : [],
);

/**
 * Parses the file of the account `owner`. A line that names another account is a fault and never returned; an empty
 * uid names nobody. Of two lines with the same key the first counts, the later is a fault.
 */
export function parsePasswd(
  content: string,
  options: { readonly path: string; readonly owner: string },
): { credentials: Credential[]; faults: Fault[] } {
  const credentials: Credential[] = [];
  const faults: Fault[] = [];
  const keys = new Set<string>();
  const { lines } = splitLines(content);
  for (let index = 0; index < lines.length; index++) {
    const text = lines[index] as string;
    if (!isDataLine(text)) continue;
    const fault = (why: string): void => {
      addFault(faults, { path: options.path, line: index + 1, text: why });
    };
    const credential = readLine(text, index + 1);
    if (typeof credential === 'string') fault(credential);
    else if (credential.authUsername !== options.owner) fault('auth_username: names another account');
    else if (credential.uid !== '' && credential.uid !== options.owner) fault('uid: names another account');
    else {
      const key = keyOf(credential);
      if (keys.has(key)) fault('duplicate: an earlier line has this auth_username, realm and did');
      else credentials.push(credential);
      keys.add(key);
    }
  }
  return { credentials, faults };
}

/** Formats a credential as one line, without `\n`. */
export function formatCredential(credential: Credential): string {
  const fields = FIELDS.map((field) => encodeField(credential[field]));
  // A line must not begin like a comment or a blank one.
  fields[0] = (fields[0] as string).replace(/^[# ]/, encodeOctet);
  for (const extra of credential.extra) fields.push(extra.replace(/[:\n]/g, encodeOctet));
  return fields.join(':');
}

/**
 * Writes credentials over the lines of their key (auth_username, realm, did), which lose their duplicates, and appends
 * the others. Extra fields of a replaced line survive when the new credential has none.
 */
export function setCredentials(content: string, credentials: readonly Credential[]): string {
  const wanted = new Map(credentials.map((credential) => [keyOf(credential), credential]));
  const written = new Set<string>();
  return editLines(
    content,
    (text) => {
      const old = isDataLine(text) ? readLine(text, 0) : '';
      if (typeof old === 'string') return text;
      const key = keyOf(old);
      const credential = wanted.get(key);
      if (credential === undefined || !sameAccount(old, credential)) return text;
      if (written.has(key)) return undefined;
      written.add(key);
      return formatCredential(credential.extra.length > 0 ? credential : { ...credential, extra: old.extra });
    },
    () =>
      [...wanted].filter(([key]) => !written.has(key)).map(([, credential]) => formatCredential(credential)),
  );
}

/** Drops every readable line that `predicate` accepts, duplicates and lines of other accounts included. */
export function removeCredentials(content: string, predicate: (credential: Credential) => boolean): string {
  return editLines(content, (text) => {
    const credential = isDataLine(text) ? readLine(text, 0) : '';
    return typeof credential !== 'string' && predicate(credential) ? undefined : text;
  });
}

/** Says whether a credential counts: flag `s` (LOAD_SER) is there and `d` (DISABLED) is not. */
export function isEnabled(credential: Credential): boolean {
  return credential.flags.includes('s') && !credential.flags.includes('d');
}

/** Equal for equal (auth_username, realm, did) and for no others. */
function keyOf({ authUsername, realm, did }: Credential): string {
  return `${authUsername.length}:${realm.length}:${authUsername}${realm}${did}`;
}

/** A line whose uid names somebody else is a fault of its own, not the old version of a new credential. */
function sameAccount(old: Credential, credential: Credential): boolean {
  return old.uid === '' || old.uid === credential.uid || old.uid === credential.authUsername;
}

/** The credential of a line, or what is wrong with it. */
function readLine(text: string, line: number): Credential | string {
  const raw = text.split(':');
  const fields: string[] = [];
  for (let index = 0; index < FIELDS.length; index++) {
    const value = decodeField(raw[index] ?? '');
    if (value === undefined) return `${NAMES[index]}: expected no control characters, and %XX escapes`;
    fields.push(value);
  }
  for (const { index, length } of HASHES) {
    const hash = fields[index] as string;
    if (hash === '') continue;
    if (hash.length !== length || !/^[0-9a-fA-F]+$/.test(hash))
      return `${NAMES[index]}: expected ${length} hexadecimal digits`;
    fields[index] = hash.toLowerCase();
  }
  const [authUsername = '', realm = '', did = '', uid = '', flags = '', password = ''] = fields;
  const [ha1 = '', ha1b = '', ha1Sha256 = '', ha1bSha256 = ''] = fields.slice(6);
  const [ha1Sha512_256 = '', ha1bSha512_256 = '', changed = ''] = fields.slice(10);
  if (authUsername === '') return 'auth_username: is empty';
  if (password !== '' && !isPasswordForm(password))
    return 'password: expected nothing, {PLAIN}text, {SHA}base64 or {SSHA}base64';
  return {
    authUsername,
    realm,
    did,
    uid,
    flags,
    password,
    ha1,
    ha1b,
    ha1Sha256,
    ha1bSha256,
    ha1Sha512_256,
    ha1bSha512_256,
    changed,
    extra: raw.slice(FIELDS.length),
    line,
  };
}

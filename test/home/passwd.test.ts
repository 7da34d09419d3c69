import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Credential,
  formatCredential,
  isEnabled,
  parsePasswd,
  removeCredentials,
  setCredentials,
} from '../../src/home/passwd.ts';

const HA1 = '0a3f0a3f0a3f0a3f0a3f0a3f0a3f0a3f';
const HA1B = '77b177b177b177b177b177b177b177b1';
const SHA256 = '9c0e'.repeat(16);
const SHA256B = 'e41d'.repeat(16);
const SHA512 = '1111'.repeat(16);
const SHA512B = '2222'.repeat(16);
const FULL = `jan:sip.example.org:_default:jan:s::${HA1}:${HA1B}:${SHA256}:${SHA256B}:${SHA512}:${SHA512B}:2026-11-22`;

const JAN: Credential = {
  authUsername: 'jan',
  realm: 'sip.example.org',
  did: '_default',
  uid: 'jan',
  flags: 's',
  password: '',
  ha1: HA1,
  ha1b: HA1B,
  ha1Sha256: SHA256,
  ha1bSha256: SHA256B,
  ha1Sha512_256: SHA512,
  ha1bSha512_256: SHA512B,
  changed: '2026-11-22',
  extra: [],
  line: 1,
};

const of = (content: string, owner = 'jan') => parsePasswd(content, { path: 'p', owner });

const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const text = fc.string({ unit: octet, maxLength: 12 });
const hash = (length: number) =>
  fc.option(
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length }),
    {
      nil: '',
    },
  );
const credentials = fc.record({
  authUsername: fc.string({ unit: octet, minLength: 1, maxLength: 12 }),
  realm: text,
  did: text,
  uid: text,
  flags: fc.constantFrom('', 's', 'sd', 'sxq'),
  password: fc.oneof(
    fc.constant(''),
    fc.string({ unit: octet, minLength: 1 }).map((one) => `{PLAIN}${one}`),
  ),
  ha1: hash(32),
  ha1b: hash(32),
  ha1Sha256: hash(64),
  ha1bSha256: hash(64),
  ha1Sha512_256: hash(64),
  ha1bSha512_256: hash(64),
  changed: text,
  extra: fc.array(fc.string({ unit: octet.filter((one) => one !== ':' && one !== '\n') }), { maxLength: 3 }),
  line: fc.constant(1),
});

describe('parsePasswd', () => {
  test.each([
    ['all thirteen fields', `${FULL}\n`, JAN],
    [
      'missing trailing fields are empty',
      'jan:r\n',
      {
        ...JAN,
        ...{ realm: 'r', did: '', uid: '', flags: '', ha1: '', ha1b: '', ha1Sha256: '', ha1bSha256: '' },
        ...{ ha1Sha512_256: '', ha1bSha512_256: '', changed: '' },
      },
    ],
    ['unknown extra fields are kept', `${FULL}:x:%zz\n`, { ...JAN, extra: ['x', '%zz'] }],
    [
      'escapes are decoded',
      'jan:a%3Ab:d:jan:s:{PLAIN}p%25%0A::::::\n',
      {
        ...JAN,
        ...{ realm: 'a:b', did: 'd', password: '{PLAIN}p%\n', ha1: '', ha1b: '', ha1Sha256: '' },
        ...{ ha1bSha256: '', ha1Sha512_256: '', ha1bSha512_256: '', changed: '' },
      },
    ],
    ['hashes may be in upper case', `${FULL.replace(HA1, HA1.toUpperCase())}\n`, JAN],
  ])('reads %s', (_why, content, credential) => {
    expect(of(content)).toEqual({ credentials: [credential], faults: [] });
  });

  test('skips comments and blank lines and counts them', () => {
    expect(of(`# mine\n\n  # too\n${FULL}\n`).credentials[0]?.line).toBe(4);
  });

  test('a last line without \\n is a write in progress and not read', () => {
    expect(of(`${FULL}\n${FULL.replace('_default', 'x')}`).credentials).toEqual([JAN]);
  });

  test.each([
    ['another auth_username', FULL.replace(/^jan/, 'eva'), 'auth_username: names another account'],
    [
      'auth_username with a domain',
      FULL.replace(/^jan/, 'jan@sip.example.org'),
      'auth_username: names another',
    ],
    ['another uid', FULL.replace(':jan:', ':eva:'), 'uid: names another account'],
    ['root as uid', FULL.replace(':jan:', ':root:'), 'uid: names another account'],
    ['an escaped name of another', FULL.replace(':jan:', ':%72oot:'), 'uid: names another account'],
    ['a hash that is too short', FULL.replace(HA1, HA1.slice(1)), 'ha1: expected 32 hexadecimal digits'],
    ['a hash that is no hex', FULL.replace(SHA256B, 'g'.repeat(64)), 'ha1b_sha256: expected 64 hex'],
    ['a bad escape', FULL.replace('sip', 's%ip'), 'realm: expected no control characters, and %XX escapes'],
    ['a bare control character', `${FULL}\r`, 'changed: expected no control'],
    [
      'a password in no known form',
      FULL.replace(':s::', ':s:secret:'),
      'password: expected nothing, {PLAIN}',
    ],
    ['no auth_username', ':r:d', 'auth_username: is empty'],
  ])('%s costs that line only', (_why, line, fault) => {
    const { credentials: found, faults } = of(`${line}\n${FULL}\n`);
    expect(found).toEqual([{ ...JAN, line: 2 }]);
    expect(faults).toEqual([{ path: 'p', line: 1, text: expect.stringContaining(fault) }]);
  });

  test('of two lines with one key the first counts, the later is a fault', () => {
    const { credentials: found, faults } = of(`${FULL}\n${FULL.replace(HA1, HA1B)}\n`);
    expect(found).toEqual([JAN]);
    expect(faults).toEqual([{ path: 'p', line: 2, text: expect.stringMatching(/^duplicate/) }]);
  });

  test('a line of another account does not take the place of a good one', () => {
    const { credentials: found } = of(`${FULL.replace(':jan:', ':eva:')}\n${FULL}\n`);
    expect(found).toEqual([{ ...JAN, line: 2 }]);
  });

  test('a line of another account is never a credential, whatever the file holds', () => {
    const names = fc.constantFrom(
      'jan',
      'eva',
      'root',
      '',
      'JAN',
      ' jan',
      'j%61n',
      '%6aan',
      'jan%00',
      'jan@x',
    );
    const lines = fc.array(
      fc
        .tuple(names, text, names, text)
        .map(([name, realm, uid, rest]) => `${name}:${realm}:d:${uid}:s:${rest}`),
    );
    fc.assert(
      fc.property(lines, (all) => {
        for (const { authUsername, uid } of of(`${all.join('\n')}\n`).credentials) {
          expect(authUsername).toBe('jan');
          expect(['', 'jan']).toContain(uid);
        }
      }),
    );
  });

  test('no content throws', () => {
    fc.assert(fc.property(fc.string({ unit: octet }), (content) => Array.isArray(of(content).faults)));
  });
});

describe('formatCredential', () => {
  test('writes all fields', () => {
    expect(formatCredential(JAN)).toBe(FULL);
  });

  test('parsing what it writes is the identity', () => {
    fc.assert(
      fc.property(credentials, (credential) => {
        const one = { ...credential, uid: '' };
        const line = formatCredential(one);
        expect(line).not.toMatch(/\n/);
        expect(parsePasswd(`${line}\n`, { path: 'p', owner: one.authUsername })).toEqual({
          credentials: [one],
          faults: [],
        });
      }),
    );
  });

  test('no field can start a second line or field', () => {
    const line = formatCredential({ ...JAN, changed: 'x\nroot:r:d:root:s', extra: ['a:b\nc'] });
    expect(line.split('\n')).toHaveLength(1);
    expect(line.endsWith(':x%0Aroot%3Ar%3Ad%3Aroot%3As:a%3Ab%0Ac')).toBe(true);
  });
});

describe('setCredentials', () => {
  const next = { ...JAN, ha1: HA1B, changed: '2026-12-01' };

  test('replaces the line of the same key and keeps everything else byte for byte', () => {
    const before = `# mine\n\n${FULL}\nbroken line\n${FULL.replace('_default', 'x')}\n \t\n`;
    expect(setCredentials(before, [next])).toBe(before.replace(FULL, formatCredential(next)));
  });

  test('appends a new key, completing a torn last line first', () => {
    expect(setCredentials('# no newline', [JAN])).toBe(`# no newline\n${FULL}\n`);
  });

  test('replaces a torn line of the same key, so that readers see it', () => {
    expect(setCredentials(FULL, [JAN])).toBe(`${FULL}\n`);
  });

  test('keeps the unknown extra fields of a replaced line', () => {
    expect(setCredentials(`${FULL}:x:%zz\n`, [next])).toBe(`${formatCredential(next)}:x:%zz\n`);
  });

  test('takes duplicates of the key away, so that an old hash does not come back', () => {
    expect(setCredentials(`${FULL}\n${FULL.replace(HA1, HA1B)}\n`, [next])).toBe(
      `${formatCredential(next)}\n`,
    );
  });

  test('leaves a line that claims another account and writes its own', () => {
    const foreign = FULL.replace(':jan:', ':root:');
    expect(setCredentials(`${foreign}\n`, [JAN])).toBe(`${foreign}\n${FULL}\n`);
  });

  test('every other line survives, and what was set is read', () => {
    const line = fc.oneof(
      fc.constantFrom('# c', '', 'eva:r:d:eva:s', 'x:%zz', `${FULL}:extra`, 'jan:r:d'),
      fc.string({ unit: octet.filter((one) => one !== '\n') }),
    );
    fc.assert(
      fc.property(fc.array(line), fc.boolean(), credentials, (lines, isTorn, credential) => {
        const one = { ...credential, authUsername: 'jan', uid: 'jan' };
        const before = lines.join('\n') + (isTorn ? '' : '\n');
        const after = setCredentials(before, [one]);
        const kept = after.split('\n');
        for (const each of lines.filter((other) => !other.startsWith('jan:'))) expect(kept).toContain(each);
        const found = of(after).credentials.find(({ realm, did }) => realm === one.realm && did === one.did);
        expect(found).toMatchObject({ ...one, extra: expect.anything(), line: expect.anything() });
      }),
    );
  });
});

describe('removeCredentials', () => {
  test('removes what the predicate accepts, duplicates too, and keeps the rest byte for byte', () => {
    const other = FULL.replace('sip.example.org', 'other');
    const content = `# mine\n${FULL}\nbroken:%\n${FULL}\n${other}`;
    expect(removeCredentials(content, ({ realm }) => realm === 'sip.example.org')).toBe(
      `# mine\nbroken:%\n${other}`,
    );
  });
});

test.each([
  ['s', true],
  ['sx', true],
  ['', false],
  ['d', false],
  ['sd', false],
  ['S', false],
])('flags %j: enabled %s', (flags, expected) => {
  expect(isEnabled({ ...JAN, flags })).toBe(expected);
});

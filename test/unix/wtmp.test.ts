// What stands in wtmp is what last(1), utmpdump(1) and who(1) read.

import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLoginLog } from '../../src/unix/login-log.ts';
import { appendLoginRecords, type LoginRecord, readLoginRecords } from '../../src/unix/wtmp.ts';
import { hasWtmpdb } from '../../src/unix/wtmpdb.ts';
import { describeNeeding } from '../host/required.ts';
import { runOrThrow } from '../host/run.ts';

const at = Date.UTC(2026, 10, 22, 10, 15, 0, 250);
const login: LoginRecord = {
  type: 'login',
  line: 'sip/AbC-_123',
  user: 'jan',
  host: '192.0.2.7',
  pid: 4711,
  at,
};
const logout: LoginRecord = { ...login, type: 'logout', at: at + 90 * 60_000 };

let directory = '';
let file = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sr-wtmp-'));
  file = join(directory, 'wtmp');
});
afterEach(() => rmSync(directory, { recursive: true }));

const utc = { env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' } };

describeNeeding(['last', 'utmpdump', 'who'], 'the host’s programs', () => {
  test('utmpdump shows every field', () => {
    writeFileSync(file, '');
    const ipv6 = { ...login, line: 'sip/6', host: '2001:db8::7' };
    expect(appendLoginRecords(file, [login, ipv6, logout])).toBeUndefined();
    const dumped = runOrThrow(['utmpdump', file], utc);
    expect(dumped.split('\n').filter((line) => line.startsWith('['))).toEqual([
      '[7] [04711] [_123] [jan     ] [sip/AbC-_123] [192.0.2.7           ] [192.0.2.7      ] [2026-11-22T10:15:00,250000+00:00]',
      '[7] [04711] [ip/6] [jan     ] [sip/6       ] [2001:db8::7         ] [2001:db8::7    ] [2026-11-22T10:15:00,250000+00:00]',
      '[8] [04711] [_123] [        ] [sip/AbC-_123] [                    ] [0.0.0.0        ] [2026-11-22T11:45:00,250000+00:00]',
    ]);
  });

  test('last pairs a login with the logout of its line, and shows how long it was', () => {
    writeFileSync(file, '');
    const other = { ...login, line: 'sip/otherone', at: at + 60_000 };
    appendLoginRecords(file, [login, other]);
    appendLoginRecords(file, [logout, { ...logout, line: other.line, at: at + 3 * 86_400_000 }]);
    expect(runOrThrow(['last', '-f', file], utc)).toMatch(
      /^jan +sip\/otherone +192\.0\.2\.7 +Sun Nov 22 10:16 - 10:15 \(2\+23:59\)\njan +sip\/AbC-_123 +192\.0\.2\.7 +Sun Nov 22 10:15 - 11:45 +\(01:30\)\n/,
    );
  });

  test('who shows the logins', () => {
    writeFileSync(file, '');
    appendLoginRecords(file, [login, logout]);
    expect(runOrThrow(['who', file], utc)).toMatch(/^jan +sip\/AbC-_123 Nov 22 10:15 \(192\.0\.2\.7\)\n$/);
  });

  test('a name, a line and a host of any length stay within their fields', () => {
    writeFileSync(file, '');
    const long = { ...login, user: 'u'.repeat(40), line: 'l'.repeat(40), host: 'h'.repeat(300) };
    appendLoginRecords(file, [long]);
    expect(readLoginRecords(file, 1e6)).toEqual([
      { ...login, user: 'u'.repeat(32), line: 'l'.repeat(31), host: 'h'.repeat(255) },
    ]);
    const dumped = runOrThrow(['utmpdump', file], utc);
    expect(dumped).toContain('[0.0.0.0        ]');
  });
});

test('what was written is read back', () => {
  writeFileSync(file, '');
  appendLoginRecords(file, [login, logout]);
  expect(readLoginRecords(file, 1e6)).toEqual([login, { ...logout, user: '', host: '' }]);
  expect(readLoginRecords(file, statSync(file).size - 1)).toHaveLength(1);
});

test('a host that keeps no wtmp gets none', () => {
  const log = openLoginLog(file);
  expect(log.isKept()).toBe(hasWtmpdb());
  expect(log.write([login])).toBeUndefined();
  expect(existsSync(file)).toBe(false);
  expect(readLoginRecords(file, 1e6)).toEqual([]);
});

test('what another writer left torn is cut off, so that later records are read', () => {
  writeFileSync(file, '');
  appendLoginRecords(file, [login]);
  const whole = statSync(file).size;
  appendFileSync(file, 'torn');
  appendLoginRecords(file, [logout]);
  expect(readFileSync(file).length).toBe(2 * whole);
  expect(readLoginRecords(file, 1e6)).toHaveLength(2);
});

test('what is no file is not written to', () => {
  expect(appendLoginRecords('/dev/null', [login])?.why).toBe('is not a regular file');
  expect(appendLoginRecords(directory, [login])?.why).toBe('is a directory');
});

test('records that a crash kept from the file are found missing', () => {
  writeFileSync(file, '');
  const log = openLoginLog(file);
  log.write([login]);
  expect(log.missing([login, logout])).toEqual([logout]);
});

describe.skipIf(!hasWtmpdb())('wtmpdb (needs libwtmpdb.so.0 and its database)', () => {
  test('takes a login and its logout', () => {
    const log = openLoginLog(file);
    expect(log.isKept()).toBe(true);
    expect(log.write([login, logout])).toBeUndefined();
    expect(existsSync(file)).toBe(false);
    expect(runOrThrow(['wtmpdb', 'last'], utc)).toMatch(/^jan +sip\/AbC-_123 +192\.0\.2\.7 /m);
  });
});

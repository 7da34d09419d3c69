// Foreign password files: what is recognised, what is read, and that no input throws.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseImport } from '../../src/cli/import/formats.ts';

const md5 = '0a3f'.repeat(8);
const sha256 = '9c0e'.repeat(16);
const read = (content: string) => parseImport(content, 'f');

describe('htdigest', () => {
  test('takes user, realm and hash; names what is no entry', () => {
    expect(read(`# phones\njan:sip.example:${md5.toUpperCase()}\r\n\njan:short\n`)).toEqual({
      entries: [{ line: 2, user: 'jan', realm: 'sip.example', ha1: { MD5: md5 } }],
      faults: [{ path: 'f', line: 4, text: 'expected user:realm:md5' }],
    });
  });
});

describe('Kamailio subscriber', () => {
  test('with a head line, in any order of columns, by comma, semicolon or tab (RFC 4180 quotes)', () => {
    for (const separator of [',', ';', '\t']) {
      const row = (...fields: string[]) => `${fields.join(separator)}\n`;
      const content =
        row('username', 'domain', 'password', 'ha1', 'ha1b') +
        row('jan', 'sip.example', `"a${separator}""b"`, '', '') +
        row('eva', 'sip.example', '', md5, md5);
      expect(read(content)?.entries, JSON.stringify(separator)).toEqual([
        { line: 2, user: 'jan', realm: 'sip.example', ha1: {}, password: `a${separator}"b` },
        { line: 3, user: 'eva', realm: 'sip.example', ha1: { MD5: md5 }, ha1b: md5 },
      ]);
    }
  });

  test('without one, as a dump of table version 7 or 6', () => {
    expect(read(`1,jan,sip.example,secret,${md5},${md5}\n`)?.entries).toMatchObject([
      { user: 'jan', password: 'secret' },
    ]);
    expect(read(`1,jan,sip.example,,j@x,${md5},${md5},\n`)?.entries).toMatchObject([
      { user: 'jan', ha1: { MD5: md5 } },
    ]);
  });

  test('counts lines through quoted ones, and names rows without a password', () => {
    const content = 'username,password,ha1\njan,"two\nlines",\neva,,\n,x,\n';
    expect(read(content)).toMatchObject({
      entries: [{ line: 2, password: 'two\nlines' }],
      faults: [
        { line: 4, text: 'neither a password nor an MD5 hash for eva' },
        { line: 5, text: 'the column username is empty' },
      ],
    });
  });
});

describe('Flexisip userdb', () => {
  test('takes clear text and hashes, without what follows the semicolon', () => {
    const content = `version:1\n\njan@sip.example clrtxt:se;cret:1 ; +420123\neva@sip.example md5:${md5} sha256:${sha256} ;\n`;
    expect(read(content)?.entries).toEqual([
      { line: 3, user: 'jan', realm: 'sip.example', ha1: {}, password: 'se;cret:1' },
      { line: 4, user: 'eva', realm: 'sip.example', ha1: { MD5: md5, 'SHA-256': sha256 } },
    ]);
  });

  test('names what it does not know', () => {
    expect(read('version:2\njan clrtxt:x ;\njan@x md5:00 ;\njan@x ;\n')?.faults).toEqual([
      { path: 'f', line: 1, text: 'only version:1 is known' },
      { path: 'f', line: 2, text: 'expected user@domain' },
      { path: 'f', line: 3, text: 'expected clrtxt:, md5: or sha256: after jan@x' },
      { path: 'f', line: 4, text: 'no password for jan@x' },
    ]);
  });
});

describe('Asterisk', () => {
  test('pjsip.conf: md5_cred and password_digest, realm of the section, of [global], or asterisk', () => {
    const auth = (name: string, ...lines: string[]) => `[${name}]\ntype=auth\n${lines.join('\n')}\n`;
    const jan = auth('jan-auth', 'username = jan ; him', `md5_cred=${md5}`);
    const eva = auth(
      'eva',
      `password_digest=MD5:${md5}`,
      `password_digest = sha-256:${sha256}`,
      'realm=sip.example',
    );
    expect(read(jan + eva)?.entries).toEqual([
      { line: 1, user: 'jan', realm: 'asterisk', ha1: { MD5: md5 } },
      { line: 5, user: 'eva', realm: 'sip.example', ha1: { MD5: md5, 'SHA-256': sha256 } },
    ]);
    expect(read(`[global]\ndefault_realm=pbx\n${jan}`)?.entries).toMatchObject([
      { user: 'jan', realm: 'pbx' },
    ]);
  });

  test('sip.conf: secret with an escaped semicolon, md5secret; endpoints without a password are passed over', () => {
    const content = `[general]\nrealm=pbx\n[jan]\nsecret=a\\;b\n[eva](phone)\nmd5secret=>${md5}\n[6000]\ntype=endpoint\n`;
    expect(read(content)?.entries).toEqual([
      { line: 3, user: 'jan', realm: 'pbx', ha1: {}, password: 'a;b' },
      { line: 5, user: 'eva', realm: 'pbx', ha1: { MD5: md5 } },
    ]);
  });

  test('names a digest it does not know', () => {
    expect(read(`[jan]\npassword_digest=SHA-1:00\n`)?.faults).toEqual([
      { path: 'f', line: 1, text: '[jan]: a digest is not ALGORITHM:hex' },
    ]);
  });
});

test('anything else is none of them, and nothing throws', () => {
  expect(read('')).toBeUndefined();
  expect(read('root:x:0:0:root:/root:/bin/bash\n')).toBeUndefined();
  const words = fc.constantFrom(
    'version:1\n',
    '[a]\n',
    'secret=',
    'username,ha1\n',
    '"',
    ',',
    ':',
    md5,
    '\n',
    ' ;',
    'jan@x ',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.string()), { maxLength: 20 }), (parts) => {
      const imported = read(parts.join(''));
      for (const entry of imported?.entries ?? []) expect(entry.line).toBeGreaterThan(0);
    }),
  );
});

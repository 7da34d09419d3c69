// sippasswd as root runs it for others: lock, expiry, status of all, many at once, import (DESIGN §2, §6).

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { isRoot, ToolHost } from './tool-host.ts';

const realm = hostname().toLowerCase();
const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe.skipIf(!isRoot)('sippasswd, run by root (needs root)', () => {
  const host = new ToolHost();
  afterAll(() => host.remove());
  beforeEach(() => host.clean());
  const asRoot = (words: readonly string[], input = '') => host.sippasswd('root', words, input);
  const ha1 = (user: 'jan' | 'eva' | 'tom') => host.file(user, 'passwd')?.split(':')[6];

  test("sets anyone's without the old one; the files are the user's", () => {
    expect(asRoot(['--stdin', 'jan'], 'one\n')).toEqual({
      status: 0,
      stdout: `SIP password of jan for realm ${realm} set\n`,
      stderr: '',
    });
    expect(asRoot(['--stdin', 'jan'], 'two\n').status).toBe(0);
    expect(ha1('jan')).toBe(md5(`jan:${realm}:two`));
    const { uid } = statSync(host.home('jan'));
    for (const name of ['.sr', '.sr/passwd', '.sr/.lock']) {
      expect(statSync(join(host.home('jan'), name)).uid, name).toBe(uid);
    }
    expect(asRoot(['--stdin'], 'x\n').stderr).toMatch(
      /^sippasswd: warning: root can not register yet: uid 0/,
    );
  });

  test('says which command lets an account in that is in no group of AllowGroups', () => {
    const warning = (group: string) =>
      `sippasswd: warning: eva can not register yet: not in AllowGroups ${group}: gpasswd -a eva ${group}`;
    expect(asRoot(['--stdin', 'eva'], 'x\n')).toMatchObject({ status: 0, stderr: `${warning('sip')}\n` });
    writeFileSync(host.etc('config'), 'AllowGroups phones\n');
    expect(asRoot(['--stdin', 'eva'], 'x\n').stderr).toBe(
      `${warning('phones')}; there is no group phones yet: groupadd phones\n`,
    );
  });

  test('takes Realm from /etc/sr/config, and reports its faults', () => {
    writeFileSync(host.etc('config'), 'Realm sip.example.org\nRelm x\n');
    const done = asRoot(['--stdin', 'jan'], 'x\n');
    expect(done.stdout).toBe('SIP password of jan for realm sip.example.org set\n');
    expect(done.stderr).toMatch(/^sippasswd: \/etc\/sr\/config:2: Relm: unknown keyword.*Realm/);
    expect(host.sippasswd('jan', ['-S']).stdout).toMatch(/^jan P \S+ \? sip\.example\.org /);
  });

  test('locks, unlocks and lets expire in /etc/sr/shadow, 0600', () => {
    asRoot(['--stdin', 'jan'], 'x\n');
    expect(asRoot(['-l', 'jan'])).toEqual({ status: 0, stdout: 'jan locked\n', stderr: '' });
    expect(readFileSync(host.etc('shadow'), 'utf8')).toBe('jan:!:\n');
    expect(statSync(host.etc('shadow')).mode & 0o777).toBe(0o600);
    expect(asRoot(['-S', 'jan']).stdout).toMatch(/^jan L \S+ never /);
    expect(asRoot(['-e', '2020-01-01', 'jan']).stdout).toBe('jan locked, expires 2020-01-01\n');
    expect(asRoot(['-u', 'jan']).stdout).toBe('jan not locked, expires 2020-01-01\n');
    expect(asRoot(['-S', 'jan']).stdout).toMatch(/^jan E \S+ 2020-01-01 /);
    expect(JSON.parse(asRoot(['-e', 'never', 'jan', '--json']).stdout)).toEqual({
      user: 'jan',
      locked: false,
      expires: null,
    });
    expect(readFileSync(host.etc('shadow'), 'utf8')).toBe('');
    expect(asRoot(['-S', 'jan']).stdout).toMatch(/^jan P \S+ never /);
    expect(asRoot(['-l', 'nobody-at-all'])).toEqual({
      status: 1,
      stdout: '',
      stderr: 'sippasswd: user nobody-at-all does not exist\n',
    });
  });

  test('refuses a shadow file that users can write to or read', () => {
    writeFileSync(host.etc('shadow'), 'jan:!:\n', { mode: 0o644 });
    expect(asRoot(['-u', 'jan'])).toEqual({
      status: 3,
      stdout: '',
      stderr: 'sippasswd: /etc/sr/shadow: can be read by group or others: chmod 600 /etc/sr/shadow\n',
    });
    expect(readFileSync(host.etc('shadow'), 'utf8')).toBe('jan:!:\n');
  });

  test('shows the status of all whom SIP concerns, one unusable home hiding nobody', () => {
    asRoot(['--stdin', 'eva'], 'x\n');
    asRoot(['-l', 'tom']);
    symlinkSync('/etc', join(host.home('jan'), '.sr'));
    const { status, stdout, stderr } = asRoot(['-a', '-S']);
    expect(stdout).toMatch(
      new RegExp(`^eva P \\S+ never ${realm} MD5,SHA-256,SHA-512-256\\ntom L - never ${realm} -\\n$`),
    );
    expect(stderr).toMatch(/^sippasswd: .*\/jan\/\.sr: /);
    expect(status).toBe(3);
    rmSync(join(host.home('jan'), '.sr'));
    const all = JSON.parse(asRoot(['-aS', '--json']).stdout) as { user: string; status: string }[];
    expect(all.map(({ user, status: letter }) => `${user} ${letter}`)).toEqual(['jan NP', 'eva P', 'tom L']);
  });

  test('never follows a symbolic link of a user out of his home', () => {
    const victim = host.write('victim', 'untouched\n');
    host.writeFile('jan', 'config', '');
    symlinkSync(victim, join(host.home('jan'), '.sr/passwd'));
    const done = asRoot(['--stdin', 'jan'], 'x\n');
    expect(done.status).toBe(3);
    expect(done.stderr).toMatch(/^sippasswd: .*\/jan\/\.sr\/passwd: is a symbolic link/);
    expect(readFileSync(victim, 'utf8')).toBe('untouched\n');
  });

  describe('--batch', () => {
    test('sets all lines, with what a password may hold', () => {
      const done = asRoot(['--batch'], '# phones\njan:a:b\n\ntom: ž \n');
      expect(done).toEqual({ status: 0, stdout: '2 of 2 SIP passwords set\n', stderr: '' });
      expect(ha1('jan')).toBe(md5(`jan:${realm}:a:b`));
      expect(ha1('tom')).toBe(md5(`tom:${realm}: ž `));
    });

    test('checks all lines before it writes any, and names each that is wrong', () => {
      symlinkSync('/etc', join(host.home('eva'), '.sr'));
      const done = asRoot(['--batch'], 'jan:good\nnobody-at-all:x\ntom:\nno colon\njan:again\neva:x\n');
      expect(done.status).toBe(3);
      expect(done.stdout).toBe('');
      expect(done.stderr.replace(/(jan|eva)\/\.sr: .*/, '$1/.sr')).toBe(
        [
          'standard input:2: user nobody-at-all does not exist',
          'standard input:3: tom: the password is empty',
          'standard input:4: expected user:password',
          'standard input:5: jan has a line already: 1',
          `standard input:6: eva: ${host.home('eva')}/.sr`,
          'standard input: nothing changed',
        ]
          .map((line) => `sippasswd: ${line}\n`)
          .join(''),
      );
      expect(existsSync(join(host.home('jan'), '.sr'))).toBe(false);
    });

    test('never repeats a password in what it says', () => {
      const done = asRoot(['--batch'], 'TopSecret\njan:TopSecret\nnobody-at-all:TopSecret\n');
      expect(done.stderr).not.toContain('TopSecret');
    });
  });

  describe('--import', () => {
    const importing = (content: string, words: readonly string[] = []) =>
      asRoot(['--import', host.write('import', content), ...words]);

    test('htdigest of the same realm', () => {
      const done = importing(`jan:${realm}:${md5(`jan:${realm}:x`)}\n`);
      expect(done).toEqual({ status: 0, stdout: '1 of 1 SIP passwords set\n', stderr: '' });
      expect(asRoot(['--verify', '--stdin', 'jan'], 'x\n').status).toBe(0);
      expect(asRoot(['-S', 'jan']).stdout).toMatch(/ MD5\n$/);
    });

    test('refuses hashes of another realm', () => {
      const done = importing(`jan:elsewhere:${md5('jan:elsewhere:x')}\n`);
      const path = host.write('import', '');
      expect(done).toEqual({
        status: 3,
        stdout: '',
        stderr:
          `sippasswd: ${path}:1: jan: the hash is for realm elsewhere, not for ${realm}: ` +
          `only a password in plain text can be taken over\nsippasswd: ${path}: nothing changed\n`,
      });
    });

    test('refuses hashes by MD5 only while DigestAlgorithms names another', () => {
      writeFileSync(host.etc('config'), 'DigestAlgorithms SHA-256 MD5\n');
      const done = importing(`jan:${realm}:${md5('x')}\n`);
      expect(done.status).toBe(3);
      expect(done.stderr).toContain(
        'only a hash for MD5, but DigestAlgorithms of /etc/sr/config names SHA-256',
      );
      expect(host.file('jan', 'passwd')).toBeUndefined();
    });

    test('Flexisip: plain text of any domain, both hashes of the same', () => {
      writeFileSync(host.etc('config'), 'DigestAlgorithms SHA-256 MD5\n');
      const done = importing(
        `version:1\n\njan@other.example clrtxt:x ;\ntom@${realm} md5:${md5('1')} sha256:${sha256('2')} ; +420123\n`,
      );
      expect(done.stdout).toBe('2 of 2 SIP passwords set\n');
      expect(ha1('jan')).toBe(md5(`jan:${realm}:x`));
      expect(asRoot(['-S', 'tom']).stdout).toMatch(/ MD5,SHA-256\n$/);
    });

    test('Kamailio and Asterisk, for another realm where it is named', () => {
      const kamailio = `"id","username","domain","password","ha1","ha1b"\n1,jan,sip.example,"a,""b",,\n2,tom,sip.example,,${md5('1')},${md5('2')}\n`;
      expect(importing(kamailio, ['--realm', 'sip.example']).stdout).toBe('2 of 2 SIP passwords set\n');
      expect(ha1('jan')).toBe(md5('jan:sip.example:a,"b'));
      expect(host.file('tom', 'passwd')?.split(':').slice(6, 8)).toEqual([md5('1'), md5('2')]);
      const asterisk = `[jan-auth]\ntype=auth\nauth_type=md5\nusername=jan\nmd5_cred=${md5('3')}\n`;
      expect(importing(asterisk, ['--realm', 'asterisk']).stdout).toBe('1 of 1 SIP passwords set\n');
      expect(host.file('jan', 'passwd')).toContain(`jan:asterisk:_default:jan:s::${md5('3')}:`);
    });

    test('what is none of these, or not there', () => {
      const path = host.write('import', '');
      expect(importing('hello\n')).toEqual({
        status: 6,
        stdout: '',
        stderr: `sippasswd: ${path}: not a file of htdigest, Kamailio, Flexisip or Asterisk\n`,
      });
      expect(asRoot(['--import', '/nonexistent'])).toEqual({
        status: 6,
        stdout: '',
        stderr: 'sippasswd: /nonexistent: no such file or directory\n',
      });
    });
  });
});

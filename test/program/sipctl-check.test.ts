// sipctl check: the first step that fails, and the command that mends it (DESIGN §6). Mends are run and seen to help.

import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { run, runOrThrow } from '../host/run.ts';
import { canPlayUsers, isRoot, ToolHost, type User } from './tool-host.ts';

interface Step {
  readonly step: string;
  readonly status: 'ok' | 'fail' | 'unknown';
  readonly detail: string;
  readonly mend?: string;
}

const realm = hostname().toLowerCase();
const md5 = '0'.repeat(32);

describe.skipIf(!canPlayUsers)('sipctl check (needs root or libnss_wrapper)', () => {
  const host = new ToolHost();
  afterAll(() => host.remove());
  beforeEach(() => host.clean());
  const sr = (user: User, name = '') => join(host.home(user), '.sr', name);
  const check = (as: User | 'root', ...words: string[]) => host.run(as, 'sipctl', ['check', ...words]);

  function steps(as: User | 'root', user: string): Step[] {
    const done = check(as, user, '--json');
    const value = JSON.parse(done.stdout) as { user: string; ok: boolean; steps: Step[] };
    expect(value.user).toBe(user);
    expect(done.status).toBe(value.ok ? 0 : 78);
    expect(value.steps.slice(0, -1).filter(({ status }) => status === 'fail')).toEqual([]);
    expect(value.ok).toBe(value.steps.at(-1)?.status !== 'fail');
    return value.steps;
  }

  const last = (as: User | 'root', user: string) => steps(as, user).at(-1) as Step;

  test('walks every step of an account that can register', () => {
    host.sippasswd('jan', ['--stdin'], 'secret\n');
    const done = check('jan');
    expect(done.status).toBe(0);
    expect(done.stderr).toBe('');
    const lines = done.stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(/\s+/, 2).join(' '))).toEqual([
      'ok settings',
      'ok account',
      'ok rules',
      '? lock',
      '? expiry',
      'ok directory',
      'ok passwd',
      'ok password',
      'ok config',
      'ok contacts',
    ]);
  });

  test('of an account that serves itself asks for its own realm and for no group', () => {
    host.writeFile('jan', 'server', 'Realm own.example.org\n');
    host.sippasswd('jan', ['--stdin'], 'secret\n');
    const walked = steps('jan', 'jan');
    expect(walked[0]?.detail).toBe(`${sr('jan', 'server')}: realm own.example.org, MD5, own server`);
    expect(walked.map(({ step }) => step)).not.toContain('rules');
    expect(walked.at(-1)?.status).toBe('ok');
  });

  test('of oneself names the password that is missing', () => {
    mkdirSync(sr('jan'), { mode: 0o700 });
    host.writeFile('jan', 'usrloc', '');
    expect(last('jan', 'jan')).toEqual({
      step: 'passwd',
      status: 'fail',
      detail: 'jan has no SIP password',
      mend: 'sippasswd jan',
    });
  });

  test.skipIf(!isRoot)('of another is for root', () => {
    expect(check('jan', 'eva')).toMatchObject({ status: 77, stdout: '' });
  });

  describe.skipIf(!isRoot)('run by root (needs root)', () => {
    const setPassword = () => host.sippasswd('root', ['--stdin', 'jan'], 'secret\n');

    test('prints the step that fails with its mend, and nothing behind it', () => {
      expect(check('root', 'eva')).toEqual({
        status: 78,
        stdout: [
          `ok    settings  defaults, there is no /etc/sr/config: realm ${realm}, MD5`,
          `ok    account   eva, uid 54322, home ${host.home('eva')}`,
          'FAIL  rules     not in AllowGroups sip',
          '      mend it:  gpasswd -a eva sip',
          '',
        ].join('\n'),
        stderr: '',
      });
    });

    test('settings: a fault of /etc/sr/config with its line', () => {
      writeFileSync(host.etc('config'), 'Realm r\nMinuid many\n');
      expect(steps('root', 'jan')).toEqual([
        {
          step: 'settings',
          status: 'fail',
          detail: '/etc/sr/config:2: MinUid: expected a whole number from 0 to 4294967294',
          mend: 'vi +2 /etc/sr/config',
        },
      ]);
    });

    test('account: none of that name', () => {
      expect(last('root', 'zoe')).toMatchObject({ step: 'account', mend: 'adduser zoe' });
    });

    test('rules: the rule that refuses, and the group that is not there', () => {
      writeFileSync(host.etc('config'), 'DenyUsers jan\n');
      expect(last('root', 'jan')).toMatchObject({ detail: 'DenyUsers names jan', mend: 'vi /etc/sr/config' });
      writeFileSync(host.etc('config'), 'AllowGroups phones\n');
      expect(last('root', 'jan')).toMatchObject({
        detail: 'there is no group phones',
        mend: 'groupadd --system phones && gpasswd -a jan phones',
      });
    });

    test('lock and expiry of /etc/sr/shadow', () => {
      setPassword();
      host.sippasswd('root', ['-l', 'jan']);
      expect(last('root', 'jan')).toMatchObject({ step: 'lock', mend: 'sippasswd -u jan' });
      host.sippasswd('root', ['-u', 'jan']);
      host.sippasswd('root', ['-e', '2020-01-01', 'jan']);
      expect(last('root', 'jan')).toMatchObject({
        step: 'lock',
        detail: 'expired on 2020-01-01 in /etc/sr/shadow',
        mend: 'sippasswd -e never jan',
      });
      host.sippasswd('root', ['-e', 'never', 'jan']);
      expect(last('root', 'jan').status).toBe('ok');
      chmodSync(host.etc('shadow'), 0o644);
      expect(last('root', 'jan')).toMatchObject({
        step: 'lock',
        status: 'fail',
        mend: expect.stringMatching(/^chmod /),
      });
    });

    test('expiry of the account (sp_expire of shadow(5))', () => {
      const file = host.etc('../shadow');
      const before = readFileSync(file);
      try {
        writeFileSync(file, 'jan:!:19000:::::1:\n');
        expect(last('root', 'jan')).toMatchObject({
          step: 'expiry',
          detail: 'the account expired on 1970-01-02',
          mend: 'chage -E -1 jan',
        });
      } finally {
        writeFileSync(file, before);
      }
    });

    test.each<[string, () => void]>([
      ['~/.sr that its group can write to', () => chmodSync(sr('jan'), 0o770)],
      ['a home that others can write to', () => chmodSync(host.home('jan'), 0o777)],
      ['passwd that others can read', () => chmodSync(sr('jan', 'passwd'), 0o644)],
      ['config that others can write to', () => chmodSync(sr('jan', 'config'), 0o666)],
      ['usrloc that others can write to', () => chmodSync(sr('jan', 'usrloc'), 0o622)],
    ])('modes: %s, and its mend', (_, spoil) => {
      setPassword();
      host.writeFile('jan', 'config', '');
      host.writeFile('jan', 'usrloc', '');
      spoil();
      try {
        const { status, mend = 'false' } = last('root', 'jan');
        expect(status).toBe('fail');
        expect(run(['sh', '-c', mend]).status).toBe(0);
        expect(last('root', 'jan').status).toBe('ok');
      } finally {
        chmodSync(host.home('jan'), 0o755);
      }
    });

    test('directory: missing, or a symbolic link', () => {
      expect(last('root', 'jan')).toMatchObject({ step: 'directory', mend: 'sippasswd jan' });
      symlinkSync('/etc', sr('jan').replace(/\/$/, ''));
      const { step, mend = 'false' } = last('root', 'jan');
      expect(step).toBe('directory');
      expect(mend).toMatch(/^rm \S+\/jan\/\.sr$/);
      expect(run(['sh', '-c', mend]).status).toBe(0);
      setPassword();
      expect(last('root', 'jan').status).toBe('ok');
    });

    test('what fails for the user fails here: root reads as him', () => {
      setPassword();
      chmodSync(sr('jan', 'passwd'), 0o000);
      expect(last('root', 'jan')).toMatchObject({ step: 'passwd', status: 'fail' });
      chmodSync(sr('jan', 'passwd'), 0o600);
      chmodSync(sr('jan'), 0o000);
      expect(last('root', 'jan')).toMatchObject({
        step: 'directory',
        mend: `chmod 700 ${sr('jan').replace(/\/$/, '')}`,
      });
      rmSync(sr('jan'), { recursive: true });
    });

    test('password: the realm changed', () => {
      setPassword();
      writeFileSync(host.etc('config'), 'Realm new.example.org\n');
      expect(last('root', 'jan')).toEqual({
        step: 'password',
        status: 'fail',
        detail: `jan's hashes are for the realm ${realm}, the server's is new.example.org`,
        mend: 'sippasswd jan',
      });
      setPassword();
      expect(last('root', 'jan').status).toBe('ok');
    });

    test.each([
      [`jan:${realm}:_default:jan:s::${md5}`, 'DigestAlgorithms: jan has no hash for SHA-256'],
      [`jan:${realm}:_default:jan:sd::${md5}`, 'jan has disabled the password: flags sd'],
      [`jan:${realm}:_default:jan:::${md5}`, 'flags : without s the password does not count'],
      ['# nothing', 'jan has no SIP password'],
    ])('password: %s', (line, detail) => {
      writeFileSync(host.etc('config'), 'DigestAlgorithms MD5 SHA-256\n');
      host.writeFile('jan', 'passwd', `${line}\n`);
      expect(last('root', 'jan')).toEqual({
        step: 'password',
        status: 'fail',
        detail,
        mend: 'sippasswd jan',
      });
      setPassword();
      expect(last('root', 'jan').status).toBe('ok');
    });

    test('passwd: a line that names another account is a fault, never an identity', () => {
      host.writeFile('jan', 'passwd', `eva:${realm}:_default:eva:s::${md5}\n`);
      const done = check('root', 'jan');
      expect(done.status).toBe(78);
      expect(done.stderr).toBe(`sipctl: ${sr('jan', 'passwd')}:1: auth_username: names another account\n`);
      expect(done.stdout).toMatch(/FAIL {2}password {2}jan has no SIP password/);
    });

    test('config and contacts: unreadable lines with path and line', () => {
      setPassword();
      host.writeFile('jan', 'config', 'MaxContacts 4\nMaxContact 5\n');
      expect(last('root', 'jan')).toMatchObject({
        step: 'config',
        detail: `${sr('jan', 'config')}:2: MaxContact: unknown keyword (did you mean MaxContacts?)`,
        mend: `vi +2 ${sr('jan', 'config')}`,
      });
      host.writeFile('jan', 'config', '');
      host.writeFile('jan', 'usrloc', '<sip:jan@10.0.0.1>\ngarbage\n');
      expect(last('root', 'jan')).toMatchObject({
        step: 'contacts',
        detail: expect.stringMatching(/usrloc:2: expected one contact/),
        mend: `vi +2 ${sr('jan', 'usrloc')}`,
      });
    });

    test.each([
      ['.lock that is a FIFO', '.lock', 'mkfifo -m 600 $0 && chown $1 $0', 'rm FILE'],
      ['.lock of root', '.lock', 'install -m 600 /dev/null $0', 'chown jan: FILE && chmod 600 FILE'],
      ['usrloc to be read only', 'usrloc', 'install -m 400 -o $1 /dev/null $0', 'chmod 600 FILE'],
    ])('contacts: a %s', (_, name, make, command) => {
      setPassword();
      const path = sr('jan', name);
      const uid = String(statSync(host.home('jan')).uid);
      const mend = command.replaceAll('FILE', path);
      rmSync(path, { force: true });
      runOrThrow(['sh', '-c', make, path, uid]);
      expect(last('root', 'jan')).toMatchObject({ step: 'contacts', status: 'fail', mend });
      runOrThrow(['sh', '-c', mend.replace('jan:', uid)]);
      expect(last('root', 'jan').status).toBe('ok');
    });

    test('contacts: counted; permanent ones that leave no room are a failure', () => {
      setPassword();
      const expired = '<sip:jan@10.0.0.9>;sr-expires-at="2020-11-22T10:15:00Z"';
      host.writeFile('jan', 'usrloc', `<sip:jan@10.0.0.1>\n${expired}\n`);
      expect(last('root', 'jan')).toMatchObject({
        status: 'ok',
        detail: `${sr('jan', 'usrloc')}: 1 live, 1 of them permanent, 1 expired`,
      });
      host.writeFile('jan', 'config', 'MaxContacts 1\n');
      expect(last('root', 'jan')).toMatchObject({ status: 'fail', mend: 'sipctl ul rm jan CONTACT' });
    });
  });
});

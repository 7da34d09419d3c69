// Real Linux-PAM with its own modules, in a mount namespace with an /etc of the test's own.

import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withMounts } from '../host/private-host.ts';
import { describeNeeding } from '../host/required.ts';
import { runOrThrow } from '../host/run.ts';
import { bundleProgram } from './temporary-home.ts';

const program = `
  import { pamAccount } from 'unix/pam.ts';
  console.log(JSON.stringify(pamAccount(...process.argv.slice(2))));
`;
const DAY_MS = 86_400_000;
const today = Math.floor(Date.now() / DAY_MS);

/** Fields of /etc/shadow behind the password: last change, least, most, warn, inactive, expire. */
const shadows: Record<string, string> = {
  jan: `${today}:0:99999:7::`,
  old: `${today}:0:99999:7::1`,
  must: '0:0:99999:7::',
};

describeNeeding(['root', 'unshare'], 'PAM', () => {
  const root = mkdtempSync(join(tmpdir(), 'sr-pam-'));
  const etc = (name: string) => join(root, 'etc', name);

  beforeAll(() => {
    cpSync('/etc', join(root, 'etc'), { recursive: true, verbatimSymlinks: true });
    const users = Object.keys(shadows);
    writeFileSync(
      etc('passwd'),
      users.map((name, at) => `${name}:x:${54_321 + at}:54321::/:/bin/sh\n`).join(''),
    );
    writeFileSync(etc('shadow'), users.map((name) => `${name}:*:${shadows[name]}:\n`).join(''), {
      mode: 0o600,
    });
    writeFileSync(etc('nsswitch.conf'), 'passwd: files\ngroup: files\nshadow: files\n');
  });
  afterAll(() => rmSync(root, { recursive: true }));

  function ask(user: string, remoteHost: string): Record<string, unknown> {
    const argv = [process.execPath, bundleProgram(program), 'sip', user, remoteHost];
    return JSON.parse(runOrThrow(withMounts([[join(root, 'etc'), '/etc']], argv)));
  }
  function verdict(
    lines: readonly string[],
    user = 'jan',
    remoteHost = '192.0.2.9',
  ): Record<string, unknown> {
    writeFileSync(etc('pam.d/sip'), lines.map((line) => `${line}\n`).join(''));
    return ask(user, remoteHost);
  }
  const file = (name: string, content: string): string => {
    writeFileSync(etc(name), content);
    return `/etc/${name}`;
  };
  const unix = ['account required pam_unix.so'];

  test('lets in whom the service lets in', () => {
    expect(verdict(['account required pam_permit.so'])).toEqual({ type: 'allowed' });
    expect(verdict(unix)).toEqual({ type: 'allowed' });
  });

  test.each([
    ['no account', unix, 'nobody-here', 10],
    ['an expired account', unix, 'old', 13],
    ['everybody', ['account required pam_deny.so'], 'jan', 7],
  ])('refuses %s', (_, lines, user, code) => {
    expect(verdict(lines, user)).toMatchObject({
      type: 'refused',
      code,
      why: expect.stringMatching(/^PAM: \S/),
    });
  });

  test('wants a password changed that must be', () => {
    expect(verdict(unix, 'must')).toMatchObject({ type: 'password-expired', code: 12 });
  });

  test('goes by the address the user comes from (pam_access)', () => {
    const lines = [`account required pam_access.so accessfile=${file('access-of-sip', '-:jan:192.0.2.9\n')}`];
    expect(verdict(lines)).toMatchObject({ type: 'refused', code: 6 });
    expect(verdict(lines, 'jan', '192.0.2.10')).toEqual({ type: 'allowed' });
    expect(verdict(lines, 'old')).toEqual({ type: 'allowed' });
  });

  test('goes by the hour (pam_time)', () => {
    file('security/time.conf', 'sip;*;jan;!Al0000-2400\n');
    expect(verdict(['account required pam_time.so'])).toMatchObject({ type: 'refused', code: 6 });
    expect(verdict(['account required pam_time.so'], 'old')).toEqual({ type: 'allowed' });
  });

  test('goes by a list (pam_listfile)', () => {
    const list = file('not-by-sip', 'jan\n');
    const lines = [`account required pam_listfile.so item=user sense=deny file=${list} onerr=fail`];
    expect(verdict(lines)).toMatchObject({ type: 'refused', code: 7 });
    expect(verdict(lines, 'old')).toEqual({ type: 'allowed' });
  });

  test('lets nobody in while nobody may log in, and hears what a module has to say (pam_nologin)', () => {
    file('nologin', 'closed for today\n');
    const lines = ['account required pam_nologin.so', 'account required pam_permit.so'];
    try {
      expect(verdict(lines)).toMatchObject({ type: 'refused', code: 7 });
    } finally {
      rmSync(etc('nologin'));
    }
    expect(verdict(lines)).toEqual({ type: 'allowed' });
  });

  test('that lacks a module can not say', () => {
    expect(verdict(['account required pam_of_nobody.so'])).toMatchObject({ type: 'failed' });
  });

  test('that does not know the service lets nobody in, whatever the service other says', () => {
    writeFileSync(etc('pam.d/other'), 'account required pam_permit.so\n');
    rmSync(etc('pam.d/sip'), { force: true });
    expect(ask('jan', '192.0.2.9')).toMatchObject({
      type: 'refused',
      why: 'no PAM service sip: /etc/pam.d/sip is missing',
    });
  });
});

// sipctl ul over the files, with no server running (DESIGN §2, §6).

import { chmodSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { Background } from '../host/background.ts';
import { canPlayUsers, isRoot, ToolHost, type User } from './tool-host.ts';

const future = '2126-11-22T10:15:00Z';
const past = '2020-11-22T10:15:00Z';

describe.skipIf(!canPlayUsers)('sipctl ul (needs root or libnss_wrapper)', () => {
  const host = new ToolHost();
  afterAll(() => host.remove());
  beforeEach(() => host.clean());
  const ul = (as: User | 'root', ...words: string[]) => host.run(as, 'sipctl', ['ul', ...words]);
  const json = (as: User | 'root', ...words: string[]) => JSON.parse(ul(as, ...words, '--json').stdout);

  test('show has the contacts that count, and reports unreadable lines with path and number', () => {
    host.writeFile(
      'jan',
      'usrloc',
      [
        '# my phones',
        `<sip:jan@10.0.0.1>;sr-expires-at="${future}";sr-user-agent="baresip"`,
        'garbage',
        `<sip:jan@10.0.0.2>;sr-expires-at="${past}"`,
        '<sip:jan@10.0.0.3>',
        '<sip:jan@10.0.0.3>;expires=0',
        '<sip:jan@10.0.0.4>',
        '',
      ].join('\n'),
    );
    const shown = ul('jan', 'show');
    const path = join(host.home('jan'), '.sr/usrloc');
    expect(shown.stdout).toMatch(
      /^User {2}Contact {11}Expires +User agent\njan {3}sip:jan@10\.0\.0\.1 {2}in \d+ days {2}baresip\njan {3}sip:jan@10\.0\.0\.2 {2}expired\njan {3}sip:jan@10\.0\.0\.4 {2}permanent\n$/,
    );
    expect(shown.stderr).toBe(`sipctl: ${path}:3: expected one contact: <sip:user@host>;parameter=value\n`);
    expect(shown.status).toBe(0);
    expect(json('jan', 'show').map(({ uri, expired }: Record<string, unknown>) => [uri, expired])).toEqual([
      ['sip:jan@10.0.0.1', false],
      ['sip:jan@10.0.0.2', true],
      ['sip:jan@10.0.0.4', false],
    ]);
    expect(ul('jan', 'dump').stdout.split('\n')[0]).toBe(
      `<sip:jan@10.0.0.1>;sr-expires-at="${future}";sr-user-agent="baresip"`,
    );
    expect(json('jan', 'dump')[2]).toEqual({ user: 'jan', path, line: 7, text: '<sip:jan@10.0.0.4>' });
  });

  test('show of nobody’s contacts is empty', () => {
    expect(ul('jan', 'show')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(json('jan', 'show', 'jan')).toEqual([]);
  });

  test('add appends a line that does not expire, and makes ~/.sr', () => {
    expect(ul('jan', 'add', 'jan', 'sip:jan@10.0.0.1;transport=tcp')).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
    expect(host.file('jan', 'usrloc')).toMatch(/^<sip:jan@10\.0\.0\.1;transport=tcp>;sr-modified="[^"]+"\n$/);
    expect(statSync(join(host.home('jan'), '.sr')).mode & 0o777).toBe(0o700);
    expect(statSync(join(host.home('jan'), '.sr/usrloc')).mode & 0o777).toBe(0o600);
    expect(json('jan', 'add', 'jan', '<sip:jan@10.0.0.2>;q=0.5')).toMatchObject({ permanent: true, q: 0.5 });
    expect(json('jan', 'show')).toHaveLength(2);
  });

  test('add takes the place of an equal contact by a log line, and leaves every other byte', () => {
    const before = '# keep\n\nunreadable line\n<sip:jan@HOST.example>;q=0.1\n';
    host.writeFile('jan', 'usrloc', before);
    expect(ul('jan', 'add', 'jan', '<sip:jan@host.example>;q=0.9').status).toBe(0);
    const after = host.file('jan', 'usrloc') ?? '';
    expect(after.startsWith(before)).toBe(true);
    expect(after.slice(before.length)).toMatch(
      /^<sip:jan@HOST\.example>;expires=0;sr-modified="[^"]+"\n<sip:jan@host\.example>;q=0\.9;sr-modified="[^"]+"\n$/,
    );
    expect(json('jan', 'show')).toMatchObject([{ uri: 'sip:jan@host.example', q: 0.9 }]);
  });

  test('add ends a line that somebody left torn, before its own', () => {
    host.writeFile('jan', 'usrloc', '<sip:jan@10.0.0.1>');
    expect(ul('jan', 'add', 'jan', 'sip:jan@10.0.0.2').status).toBe(0);
    expect(json('jan', 'show')).toMatchObject([{ uri: 'sip:jan@10.0.0.1' }, { uri: 'sip:jan@10.0.0.2' }]);
  });

  test.each([
    ['<sip:jan@10.0.0.1>;sr-received="sip:192.0.2.1"', "sr-received is the server's to set"],
    ['sip:jan@255.255.255.255', 'broadcast address'],
    ['tel:+420', 'expected a SIP URI'],
    ['*', 'expected a SIP URI or a Contact value'],
  ])('add refuses %s and writes nothing', (contact, why) => {
    expect(ul('jan', 'add', 'jan', contact)).toEqual({
      status: 65,
      stdout: '',
      stderr: `sipctl: ${contact}: ${why}\n`,
    });
    expect(host.file('jan', 'usrloc')).toBeUndefined();
  });

  test('add stops at MaxContacts of the user’s own settings', () => {
    host.writeFile('jan', 'config', 'MaxContacts 2\n');
    host.writeFile('jan', 'usrloc', `<sip:jan@10.0.0.1>\n<sip:jan@10.0.0.9>;sr-expires-at="${past}"\n`);
    expect(ul('jan', 'add', 'jan', 'sip:jan@10.0.0.2').status).toBe(0);
    expect(ul('jan', 'add', 'jan', 'sip:jan@10.0.0.3')).toMatchObject({
      status: 78,
      stderr: 'sipctl: jan has as many contacts as MaxContacts 2 lets him\n',
    });
    expect(ul('jan', 'add', 'jan', '<sip:jan@10.0.0.2>;q=0.5').status).toBe(0);
  });

  test('rm appends a removal, of one contact or all, and never rewrites', () => {
    const before =
      '<sip:jan@10.0.0.1>\n# keep\ngarbage\n<sip:jan@10.0.0.2>;+sip.instance="<i>";reg-id=1;sr-call-id="c";sr-cseq="1"\n' +
      '<sip:jan@10.0.0.3>;sr-received="sip:192.0.2.1:5";sr-call-id="d";sr-cseq="1"\n';
    host.writeFile('jan', 'usrloc', before);
    expect(ul('jan', 'rm', 'jan', 'sip:jan@10.0.0.1')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(json('jan', 'show').map(({ uri }: { uri: string }) => uri)).toEqual([
      'sip:jan@10.0.0.2',
      'sip:jan@10.0.0.3',
    ]);
    expect(json('jan', 'rm', 'jan')).toMatchObject([
      { uri: 'sip:jan@10.0.0.2' },
      { uri: 'sip:jan@10.0.0.3' },
    ]);
    expect(json('jan', 'show')).toEqual([]);
    expect(host.file('jan', 'usrloc')?.startsWith(before)).toBe(true);
    expect(ul('jan', 'rm', 'jan', 'sip:jan@10.0.0.1')).toEqual({
      status: 69,
      stdout: '',
      stderr: 'sipctl: jan has no contact sip:jan@10.0.0.1\n',
    });
    expect(ul('jan', 'rm', 'jan').status).toBe(0);
  });

  test('of many at once each that succeeds is there afterwards', async () => {
    const uris = Array.from({ length: 8 }, (_, index) => `sip:jan@10.0.1.${index + 1}`);
    const codes = await Promise.all(
      uris.map((uri) =>
        new Background(host.command('jan', 'sipctl', ['ul', 'add', 'jan', uri]), {
          env: host.environment(),
        }).end(),
      ),
    );
    expect(codes.filter((code) => code !== 0 && code !== 75)).toEqual([]);
    const kept = json('jan', 'show').map(({ uri }: { uri: string }) => uri);
    expect(kept.sort()).toEqual(uris.filter((_, index) => codes[index] === 0));
    expect(kept.length).toBeGreaterThan(0);
  });

  test('rm of one who has no ~/.sr makes none', () => {
    expect(ul('jan', 'rm', 'jan').status).toBe(0);
    expect(ul('jan', 'rm', 'jan', 'sip:jan@10.0.0.1').status).toBe(69);
    expect(host.file('jan', '.lock')).toBeUndefined();
  });

  test.skipIf(!isRoot)('a user can not look at another, nor learn who exists', () => {
    for (const name of ['eva', 'nobody-of-that-name'])
      expect(ul('jan', 'show', name)).toEqual({
        status: 77,
        stdout: '',
        stderr: `sipctl: only root may see and change what is ${name}'s\n`,
      });
    expect(ul('jan', 'add', 'eva', 'sip:eva@10.0.0.1').status).toBe(77);
    expect(host.file('eva', 'usrloc')).toBeUndefined();
  });

  describe.skipIf(!isRoot)('run by root (needs root)', () => {
    test('shows all accounts that have contacts, and changes anyone’s as that user', () => {
      expect(ul('root', 'add', 'jan', 'sip:jan@10.0.0.1').status).toBe(0);
      expect(ul('root', 'add', 'eva', 'sip:eva@10.0.0.2').status).toBe(0);
      expect(json('root', 'show').map(({ user }: { user: string }) => user)).toEqual(['jan', 'eva']);
      expect(ul('root', 'dump').stdout).toMatch(
        /^# \S+\/jan\/\.sr\/usrloc\n<sip:jan@.*\n# \S+\/eva\/\.sr\/usrloc\n<sip:eva@.*\n$/,
      );
      const { uid } = statSync(host.home('eva'));
      for (const name of ['.sr', '.sr/usrloc', '.sr/.lock'])
        expect(statSync(join(host.home('eva'), name)).uid, name).toBe(uid);
      expect(ul('root', 'show', 'nobody-of-that-name')).toMatchObject({
        status: 67,
        stderr: 'sipctl: user nobody-of-that-name does not exist\n',
      });
    });

    test('goes through no symbolic link: nothing outside is read or touched', () => {
      const secret = host.write('secret', '<sip:root@10.0.0.1>\n');
      chmodSync(secret, 0o600);
      ul('root', 'add', 'jan', 'sip:jan@10.0.0.1');
      const file = join(host.home('jan'), '.sr/usrloc');
      rmSync(file);
      symlinkSync(secret, file);
      expect(ul('root', 'show', 'jan')).toMatchObject({
        status: 77,
        stdout: '',
        stderr: expect.stringMatching(/usrloc: is a symbolic link/),
      });
      expect(ul('root', 'add', 'jan', 'sip:jan@10.0.0.2').status).toBe(77);
      expect(readFileSync(secret, 'utf8')).toBe('<sip:root@10.0.0.1>\n');
      rmSync(join(host.home('eva'), '.sr'), { recursive: true, force: true });
      symlinkSync(host.etc('.'), join(host.home('eva'), '.sr'));
      expect(ul('root', 'add', 'eva', 'sip:eva@10.0.0.2').status).toBe(77);
    });

    test('one account that can not be read does not hide the others, and shows in the exit code', () => {
      host.writeFile('jan', 'usrloc', '<sip:jan@10.0.0.1>\n');
      host.writeFile('tom', 'usrloc', '<sip:tom@10.0.0.1>\n');
      chmodSync(join(host.home('jan'), '.sr/usrloc'), 0o622);
      const shown = ul('root', 'show');
      expect(shown.status).toBe(77);
      expect(shown.stdout).toContain('sip:tom@10.0.0.1');
      expect(shown.stdout).not.toContain('sip:jan@10.0.0.1');
      expect(shown.stderr).toMatch(
        /^sipctl: \S+\/jan\/\.sr\/usrloc: .*: chmod go-w \S+\/jan\/\.sr\/usrloc\n$/,
      );
      writeFileSync(host.etc('config'), 'StrictModes no\n');
      expect(ul('root', 'show').stdout).toContain('sip:jan@10.0.0.1');
    });
  });
});

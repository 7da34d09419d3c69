// sipctl user: who the rules of /etc/sr/config admit, and how it stands with them.

import { chmodSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { canPlayUsers, isRoot, ToolHost, type User } from './tool-host.ts';

describe.skipIf(!canPlayUsers)('sipctl user (needs root or libnss_wrapper)', () => {
  const host = new ToolHost();
  afterAll(() => host.remove());
  beforeEach(() => host.clean());
  const user = (as: User | 'root', ...words: string[]) => host.run(as, 'sipctl', ['user', ...words]);
  const json = (as: User | 'root', ...words: string[]) => JSON.parse(user(as, ...words, '--json').stdout);

  test('a user sees himself; what only root knows is null', () => {
    host.sippasswd('jan', ['--stdin'], 'secret\n');
    expect(json('jan', 'show')).toMatchObject({
      user: 'jan',
      home: host.home('jan'),
      realm: hostname().toLowerCase(),
      refused: null,
      password: 'set',
      contacts: 0,
      locked: null,
      expired: null,
    });
    expect(json('jan', 'list')).toHaveLength(1);
    expect(user('jan', 'list').stdout).toMatch(/^User .*\njan +\d+ +set +0 {2}\?\n$/);
  });

  test.skipIf(!isRoot)('a user does not see another', () => {
    expect(user('jan', 'show', 'eva')).toMatchObject({ status: 77, stdout: '' });
    expect(json('eva', 'list')).toEqual([]);
    expect(json('eva', 'show').refused).toBe('not in AllowGroups sip: gpasswd -a eva sip');
  });

  describe.skipIf(!isRoot)('run by root (needs root)', () => {
    test('lists whom the rules admit: MinUid, AllowGroups, DenyUsers', () => {
      const names = () => json('root', 'list').map(({ user: name }: { user: string }) => name);
      expect(names()).toEqual(['jan', 'tom']);
      writeFileSync(host.etc('config'), 'AllowGroups sip eva\nDenyUsers t*\n');
      expect(names()).toEqual(['jan', 'eva']);
      writeFileSync(host.etc('config'), 'MinUid 54323\n');
      expect(names()).toEqual(['tom']);
    });

    test('says how it stands with password, contacts and lock', () => {
      writeFileSync(host.etc('config'), 'AllowGroups sip eva\n');
      host.sippasswd('root', ['--stdin', 'jan'], 'secret\n');
      host.sippasswd('root', ['--stdin', '--realm', 'old.example.org', 'eva'], 'secret\n');
      host.sippasswd('root', ['-l', 'tom']);
      host.sippasswd('root', ['-e', '2020-01-01', 'eva']);
      host.writeFile(
        'jan',
        'usrloc',
        '<sip:jan@10.0.0.1>\n<sip:jan@10.0.0.2>;sr-expires-at="2020-11-22T10:15:00Z"\n',
      );
      expect(
        json('root', 'list').map(
          ({ user: name, password, contacts, locked, expired }: Record<string, unknown>) => [
            name,
            password,
            contacts,
            locked,
            expired,
          ],
        ),
      ).toEqual([
        ['jan', 'set', 1, false, false],
        ['eva', 'other realm', 0, false, true],
        ['tom', 'none', 0, true, false],
      ]);
      const words = user('root', 'list')
        .stdout.split('\n')
        .map((line) => line.split(/ {2,}/).at(-1));
      expect(words).toEqual(['State', 'ok', 'expired', 'locked', '']);
      writeFileSync(host.etc('config'), 'DigestAlgorithms SHA-256 MD5\n');
      host.writeFile('tom', 'passwd', `tom:${hostname().toLowerCase()}:_default:tom:s::${'0'.repeat(32)}\n`);
      expect(json('root', 'show', 'tom').password).toBe('incomplete');
    });

    test('reports files that can not be used and goes on', () => {
      host.sippasswd('root', ['--stdin', 'jan'], 'secret\n');
      chmodSync(join(host.home('jan'), '.sr/passwd'), 0o644);
      const listed = user('root', 'list', '--json');
      expect(listed.status).toBe(77);
      expect(listed.stderr).toMatch(/^sipctl: \S+\/passwd: .*: chmod \S+ \S+\/jan\/\.sr\/passwd\n$/);
      expect(JSON.parse(listed.stdout)).toMatchObject([
        { user: 'jan', password: null },
        { user: 'tom', password: 'none' },
      ]);
    });
  });
});

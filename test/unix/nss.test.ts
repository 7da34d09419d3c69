// Accounts and groups as NSS has them; odd ones through nss_wrapper, which needs no root.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Account,
  findAccount,
  findAccountByUid,
  findGroup,
  findGroupById,
  groupIdsOf,
  invokingAccount,
  listAccounts,
} from '../../src/unix/nss.ts';
import { createNssCache } from '../../src/unix/nss-cache.ts';
import { accountExpiry } from '../../src/unix/shadow-expiry.ts';
import { Accounts } from '../host/accounts.ts';
import { describeNeeding } from '../host/required.ts';
import { bundleProgram, temporaryDirectory } from './temporary-home.ts';

describe('accounts and groups of this host', () => {
  test('root is found by name and by uid, and listed', () => {
    const root = findAccount('root');
    expect(root).toMatchObject({ name: 'root', uid: 0, gid: 0, home: '/root' });
    expect(findAccountByUid(0)).toEqual(root);
    expect(listAccounts()).toContainEqual(root);
    expect(listAccounts()).toContainEqual(root);
  });

  test('the invoking account is who runs this', () => {
    const { username, uid, homedir } = userInfo();
    expect(invokingAccount()).toMatchObject({ name: username, uid, home: homedir });
  });

  test('groups are found by name and by gid', () => {
    const group = findGroup('root');
    expect(group).toMatchObject({ name: 'root', gid: 0 });
    expect(findGroupById(0)).toEqual(group);
  });

  test('the groups of an account are those that id(1) tells', () => {
    const account = invokingAccount();
    const told = execFileSync('id', ['-G', account.name], { encoding: 'utf8' }).trim().split(' ').map(Number);
    expect([...groupIdsOf(account)].sort()).toEqual(told.sort());
    expect(groupIdsOf(account)).toContain(account.gid);
  });

  test.each([
    '',
    'no-such-name',
    'ro\0ot',
    'a/b',
    'a:b',
    'root\n',
    'ä'.repeat(129),
    'x'.repeat(1e6),
    '\ud800',
  ])('%j is nobody and no group', (name) => {
    expect(findAccount(name)).toBe(undefined);
    expect(findGroup(name)).toBe(undefined);
  });

  test('unknown ids are nobody and no group', () => {
    expect(findAccountByUid(4_100_000_123)).toBe(undefined);
    expect(findGroupById(4_100_000_123)).toBe(undefined);
  });
});

describe('a cache', () => {
  // Nothing of the host is watched where answers must stay: other programs may be making accounts right now.
  test('gives the same answer until its time is over', () => {
    const cache = createNssCache({ ttlMs: 1000, watch: [] });
    const first = cache.findAccount('root', 5000);
    expect(first).toEqual(findAccount('root'));
    expect(cache.findAccount('root', 5999)).toBe(first);
    expect(cache.findAccount('root', 6000)).not.toBe(first);
    expect(cache.findAccount('root', 6000)).toEqual(first);
    const second = cache.findAccount('root', 6001);
    expect(cache.findAccount('root', 4000)).not.toBe(second);
  });

  test('remembers groups and lists of groups', () => {
    const cache = createNssCache({ watch: [] });
    const account = cache.findAccount('root', 0) as Account;
    expect(cache.groupNamesOf(account, 0)).toBe(cache.groupNamesOf(account, 0));
    expect(cache.groupIdsOf(account, 0)).toBe(cache.groupIdsOf(account, 0));
    expect(cache.groupNamesOf(account, 0)[0]).toBe('root');
    expect(cache.findAccount('no-such-name', 0)).toBe(undefined);
    expect(cache.findAccount('no-such-name', 0)).toBe(undefined);
    const before = cache.groupNamesOf(account, 0);
    cache.clear();
    expect(cache.groupNamesOf(account, 0)).not.toBe(before);
  });

  test('notices every change of a watched file, also two of one size within one tick of the clock', () => {
    const path = join(temporaryDirectory(), 'passwd');
    writeFileSync(path, 'a');
    const cache = createNssCache({ watch: [path] });
    const find = () => {
      cache.notice();
      return cache.findAccount('root', 0);
    };
    let before = find();
    for (let round = 0; round < 50; round += 1) {
      expect(find()).toBe(before);
      writeFileSync(path, round % 2 === 0 ? 'b' : 'a');
      const after = find();
      expect(after).not.toBe(before);
      before = find();
    }
  });

  test('answers as of the last look at the files', () => {
    const path = join(temporaryDirectory(), 'passwd');
    writeFileSync(path, 'a');
    const cache = createNssCache({ watch: [path] });
    expect(cache.notice()).toBe(true);
    const before = cache.findAccount('root', 0);
    writeFileSync(path, 'b');
    expect(cache.findAccount('root', 0)).toBe(before);
    expect(cache.notice()).toBe(true);
    expect(cache.findAccount('root', 0)).not.toBe(before);
  });

  test('is not emptied by a flood of unknown names', () => {
    const cache = createNssCache({ watch: [] });
    const first = cache.findAccount('root', 0);
    for (let at = 0; at < 12_000; at += 1) cache.findAccount(`no/${at}`, 0);
    expect(cache.findAccount('root', 0)).toBe(first);
  });

  test('asks the files with the time of the clock when none is told', () => {
    const cache = createNssCache({ watch: [] });
    expect(cache.findAccount('root')).toBe(cache.findAccount('root'));
  });
});

const wrapper = readdirSync('/usr/lib', { recursive: false, withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => join('/usr/lib', entry.name, 'libnss_wrapper.so'))
  .find((path) => existsSync(path));

describe.skipIf(wrapper === undefined && !process.env.CI)(
  'under nss_wrapper (skipped without libnss-wrapper)',
  () => {
    function wrapped(passwd: string, group: string, body: string): unknown {
      const directory = temporaryDirectory();
      const files = { passwd: join(directory, 'passwd'), group: join(directory, 'group') };
      writeFileSync(files.passwd, passwd);
      writeFileSync(files.group, group);
      const program = bundleProgram(`
      import * as nss from 'unix/nss.ts';
      import { createNssCache } from 'unix/nss-cache.ts';
      import { writeFileSync, renameSync, utimesSync } from 'node:fs';
      const files = ${JSON.stringify(files)};
      console.log(JSON.stringify((() => { ${body} })()));
    `);
      const output = execFileSync(process.execPath, [program], {
        encoding: 'utf8',
        env: {
          ...process.env,
          LD_PRELOAD: wrapper,
          NSS_WRAPPER_PASSWD: files.passwd,
          NSS_WRAPPER_GROUP: files.group,
        },
      });
      return JSON.parse(output);
    }

    const PASSWD = 'jän:x:5001:5001:Jän Ö.,,,:/home/jän:/bin/sh\nwide:x:5002:5001::/:\n';

    test('names and GECOS are UTF-8, empty fields are empty', () => {
      const group = 'jän:x:5001:\nsip:x:5100:jän\n';
      const found = wrapped(
        PASSWD,
        group,
        `const account = nss.findAccount('jän');
       return [account, nss.groupIdsOf(account), nss.findAccount('wide'), nss.listAccounts().length];`,
      );
      expect(found).toEqual([
        { name: 'jän', uid: 5001, gid: 5001, gecos: 'Jän Ö.,,,', home: '/home/jän', shell: '/bin/sh' },
        [5001, 5100],
        { name: 'wide', uid: 5002, gid: 5001, gecos: '', home: '/', shell: '' },
        2,
      ]);
    });

    test('a group of 20,000 members comes whole, and so does an account in 3,000 groups', () => {
      const members = Array.from({ length: 20_000 }, (_, at) => `member${at}`);
      const groups = Array.from({ length: 3000 }, (_, at) => `g${at}:x:${10_000 + at}:jän\n`).join('');
      const found = wrapped(
        PASSWD,
        `big:x:6000:${members.join(',')}\n${groups}`,
        `return [nss.findGroup('big'), nss.groupIdsOf(nss.findAccount('jän')).length, nss.findGroupById(6000).members.length];`,
      );
      expect(found).toEqual([{ name: 'big', gid: 6000, members }, 3001, 20_000]);
    });

    test('a cache sees at once that the files changed: names that come, go and move', () => {
      const found = wrapped(
        PASSWD,
        'sip:x:5100:\n',
        `const cache = createNssCache();
       const see = () => {
         cache.notice();
         return [cache.findAccount('jän', 0)?.uid, cache.findAccount('eva', 0)?.uid,
           cache.groupIdsOf({ name: 'jän', gid: 5001 }, 0).length];
       };
       const seen = [see(), see()];
       // nss_wrapper itself looks at the seconds of the time only.
       let second = 1000;
       const write = (path, text) => { writeFileSync(path, text); utimesSync(path, second, second++); };
       write(files.passwd, 'eva:x:7001:7001::/:\\n');
       seen.push(see());
       write(files.passwd, 'eva:x:7002:7001::/:\\n');
       seen.push(see());
       write(files.passwd + '.new', 'jän:x:5003:5001::/:\\n');
       renameSync(files.passwd + '.new', files.passwd);
       write(files.group, 'sip:x:5100:jän\\n');
       seen.push(see());
       return seen;`,
      );
      expect(found).toEqual([
        [5001, null, 1],
        [5001, null, 1],
        [null, 7001, 1],
        [null, 7002, 1],
        [5003, null, 2],
      ]);
    });
  },
);

describeNeeding(['root', 'useradd'], 'accounts made a moment ago', () => {
  let made: Accounts;
  beforeAll(() => {
    made = new Accounts();
  });
  afterAll(() => made.remove());

  test('are found at once by a cache that knew they were not there, and so are their groups', () => {
    const cache = createNssCache();
    const name = `srt${process.pid}uta`;
    expect(cache.findAccount(name, 0)).toBe(undefined);
    made.add('uta', []);
    cache.notice();
    const account = cache.findAccount(name, 0) as Account;
    expect(account.name).toBe(name);
    expect(cache.groupNamesOf(account, 0)).toEqual([name]);
    execFileSync('gpasswd', ['-a', name, 'sip'], { stdio: 'ignore' });
    cache.notice();
    expect(cache.groupNamesOf(cache.findAccount(name, 0) as Account, 0)).toEqual([name, 'sip']);
  });

  test('expire on the day that chage(1) says', () => {
    const { name } = made.add('ulf');
    expect(accountExpiry(name)).toEqual({ expiresDay: undefined });
    execFileSync('chage', ['-E', '2030-01-01', name]);
    expect(accountExpiry(name)).toEqual({ expiresDay: 21_915 });
    execFileSync('chage', ['-E', '0', name]);
    expect(accountExpiry(name)).toEqual({ expiresDay: 0 });
    execFileSync('chage', ['-E', '-1', name]);
    expect(accountExpiry(name)).toEqual({ expiresDay: undefined });
  });
});

test('the expiry of an unknown account is unknown', () => {
  expect(accountExpiry('no-such-name')).toEqual({ expiresDay: undefined });
  expect(accountExpiry('root')).toHaveProperty('expiresDay');
});

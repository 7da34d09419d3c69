// StrictModes on the way to ~/.sr (DESIGN §2, §5): the homes of the invoking user; what needs other users needs root.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asUser } from '../../src/unix/as-user.ts';
import { type Account, findAccount } from '../../src/unix/nss.ts';
import { closeUserDirectory, openUserDirectory } from '../../src/unix/trusted-directory.ts';
import { Accounts } from '../host/accounts.ts';
import { describeNeeding } from '../host/required.ts';
import { identityOf, inDirectory, temporaryAccount, temporaryDirectory } from './temporary-home.ts';

/** What opening says: `ok`, or the kind and path of the trouble. */
function opening(account: Account, options: { strictModes?: boolean; create?: boolean } = {}): string {
  return asUser(identityOf(account), () => {
    const opened = openUserDirectory(account, { strictModes: true, create: false, ...options });
    if (opened.type === 'trouble') return `${opened.kind} ${opened.path}: ${opened.why}`;
    closeUserDirectory(opened);
    return 'ok';
  });
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('a home of the invoking user', () => {
  test('a missing .sr is missing, and is made 0700 when asked for', () => {
    const account = temporaryAccount();
    expect(opening(account)).toBe(`missing ${account.home}/.sr: does not exist`);
    expect(existsSync(join(account.home, '.sr'))).toBe(false);
    expect(opening(account, { create: true })).toBe('ok');
    expect(lstatSync(join(account.home, '.sr')).mode & 0o7777).toBe(0o700);
    expect(opening(account)).toBe('ok');
  });

  test('a missing home is missing and never made', () => {
    const account = temporaryAccount();
    rmSync(account.home, { recursive: true });
    expect(opening(account, { create: true })).toContain(`missing ${account.home}: the home does not exist`);
    rmSync(dirname(account.home), { recursive: true });
    expect(opening(account, { create: true })).toContain('missing ');
    expect(existsSync(account.home)).toBe(false);
  });

  test('a symlinked .sr is refused, and nothing is made where it leads', () => {
    const account = temporaryAccount();
    const outside = temporaryDirectory();
    symlinkSync(outside, join(account.home, '.sr'));
    for (const create of [false, true]) {
      expect(opening(account, { create })).toContain(`untrusted ${account.home}/.sr: is a symbolic link`);
    }
    rmSync(join(account.home, '.sr'));
    symlinkSync(join(outside, 'new'), join(account.home, '.sr'));
    expect(opening(account, { create: true, strictModes: false })).toContain('untrusted ');
    expect(readdirSync(outside)).toEqual([]);
  });

  test('a symlinked home is refused; symbolic links above the home are followed', () => {
    const account = temporaryAccount();
    const above = dirname(account.home);
    symlinkSync(account.home, join(above, 'link'));
    expect(opening({ ...account, home: join(above, 'link') }, { create: true })).toContain('untrusted ');
    symlinkSync('../', join(account.home, 'up'));
    symlinkSync(above, join(above, 'absolute'));
    expect(opening({ ...account, home: join(above, 'absolute/home') }, { create: true })).toBe('ok');
    expect(opening({ ...account, home: join(account.home, 'up/absolute/home/') })).toBe('ok');
    symlinkSync('loop', join(above, 'loop'));
    expect(opening({ ...account, home: join(above, 'loop/home') })).toContain('untrusted ');
  });

  test.each(['file', 'FIFO'])('a %s in the place of .sr is refused', (what) => {
    const account = temporaryAccount();
    const path = join(account.home, '.sr');
    if (what === 'file') writeFileSync(path, '');
    else execFileSync('mkfifo', [path]);
    expect(opening(account, { create: true })).toContain(`untrusted ${path}`);
  });

  test.each(['720', '702', '777', '1777'])('.sr with mode %s is refused by StrictModes only', (mode) => {
    const account = temporaryAccount();
    opening(account, { create: true });
    chmodSync(join(account.home, '.sr'), Number.parseInt(mode, 8));
    expect(opening(account)).toContain(`untrusted ${account.home}/.sr: can be written to`);
    expect(opening(account, { strictModes: false })).toBe('ok');
  });

  test.each(['702', '757', '1777'])('a home with mode %s is refused by StrictModes only', (mode) => {
    const account = temporaryAccount();
    opening(account, { create: true });
    chmodSync(account.home, Number.parseInt(mode, 8));
    expect(opening(account)).toContain(`untrusted ${account.home}: can be written to by others`);
    expect(opening(account, { strictModes: false })).toBe('ok');
  });

  test.each(['700', '711', '755', '2755'])('a home with mode %s is fine', (mode) => {
    const account = temporaryAccount();
    chmodSync(account.home, Number.parseInt(mode, 8));
    expect(opening(account, { create: true })).toBe('ok');
  });

  test('a home that its group may write to is refused when the group has another name', () => {
    const account = { ...temporaryAccount(), name: 'nobody-of-that-name' };
    chmodSync(account.home, 0o775);
    expect(opening(account, { create: true })).toContain('can be written to by group');
  });

  test('a directory above the home that others may write to is refused, also after it was fine', () => {
    const account = temporaryAccount();
    const above = dirname(account.home);
    expect(opening(account, { create: true })).toBe('ok');
    for (const mode of [0o777, 0o770, 0o702]) {
      chmodSync(above, mode);
      expect(opening(account)).toContain(`untrusted ${above}: can be written to`);
    }
    chmodSync(above, 0o700);
    expect(opening(account)).toBe('ok');
  });

  test('a home that was replaced is seen at once', () => {
    const account = temporaryAccount();
    expect(opening(account, { create: true })).toBe('ok');
    renameSync(account.home, `${account.home}.old`);
    expect(opening(account)).toContain('missing ');
    symlinkSync(`${account.home}.old`, account.home);
    expect(opening(account)).toContain('untrusted ');
  });

  test.each(['', 'home/jan', '/tmp/../etc', '/tmp/\0'])('the home %j is refused', (home) => {
    expect(opening({ ...temporaryAccount(), home })).toContain('untrusted ');
  });

  test('names the command that mends it, quoted for a shell', () => {
    const account = temporaryAccount();
    const home = join(dirname(account.home), "it's");
    mkdirSync(join(home, '.sr'), { recursive: true });
    chmodSync(join(home, '.sr'), 0o777);
    const found = asUser(identityOf(account), () =>
      openUserDirectory({ ...account, home }, { strictModes: true, create: false }),
    );
    if (found.type !== 'trouble' || found.mend === undefined) throw new Error('no mend');
    execFileSync('sh', ['-c', found.mend]);
    expect(opening({ ...account, home })).toBe('ok');
  });

  test('no descriptor is left open, whatever was found', () => {
    const account = temporaryAccount();
    opening(account, { create: true });
    const before = openDescriptors();
    for (const mode of [0o700, 0o777]) {
      chmodSync(join(account.home, '.sr'), mode);
      for (let round = 0; round < 20; round += 1) opening(account);
    }
    expect(openDescriptors()).toBe(before);
  });
});

describeNeeding(['root', 'useradd'], 'homes of other users', () => {
  let made: Accounts;
  let jan: Account;
  let eva: Account;
  beforeAll(() => {
    made = new Accounts();
    jan = account('jan');
    eva = account('eva');
  });
  afterAll(() => made.remove());

  function account(suffix: string): Account {
    return findAccount(made.add(suffix).name) as Account;
  }

  test('.sr is made by and for its user', () => {
    expect(opening(jan, { create: true })).toBe('ok');
    const { uid, gid, mode } = lstatSync(join(jan.home, '.sr'));
    expect([uid, gid, mode & 0o7777]).toEqual([jan.uid, jan.gid, 0o700]);
  });

  test("a .sr of somebody else's is refused, root's too, with and without StrictModes", () => {
    opening(jan, { create: true });
    for (const owner of [eva.uid, 0]) {
      chownSync(join(jan.home, '.sr'), owner, owner);
      chmodSync(join(jan.home, '.sr'), 0o755);
      for (const strictModes of [true, false]) {
        expect(opening(jan, { strictModes })).toContain(`.sr: belongs to uid ${owner}`);
      }
    }
    // He may not open it, and still hears what mends it.
    chmodSync(join(jan.home, '.sr'), 0o700);
    expect(opening(jan)).toContain('.sr: belongs to uid 0');
    rmSync(join(jan.home, '.sr'), { recursive: true });
  });

  test("a home of root's is fine, one of another user's isn't", () => {
    opening(jan, { create: true });
    chownSync(jan.home, 0, 0);
    chmodSync(jan.home, 0o755);
    expect(opening(jan)).toBe('ok');
    chownSync(jan.home, eva.uid, eva.gid);
    expect(opening(jan)).toContain(`untrusted ${jan.home}: belongs to uid ${eva.uid}`);
    chownSync(jan.home, jan.uid, jan.gid);
  });

  test("a directory above the home that is another user's is refused, also after it was fine for its owner", () => {
    const evasDirectory = join(eva.home, 'public');
    mkdirSync(join(evasDirectory, 'jan'), { recursive: true });
    mkdirSync(join(evasDirectory, 'eva'));
    chownSync(evasDirectory, eva.uid, eva.gid);
    chownSync(join(evasDirectory, 'eva'), eva.uid, eva.gid);
    chownSync(join(evasDirectory, 'jan'), jan.uid, jan.gid);
    chmodSync(eva.home, 0o755);
    expect(opening({ ...eva, home: join(evasDirectory, 'eva') }, { create: true })).toBe('ok');
    expect(opening({ ...jan, home: join(evasDirectory, 'jan') }, { create: true })).toContain(
      `untrusted ${eva.home}: belongs to uid ${eva.uid}`,
    );
  });

  test("another user's symbolic link above the home is refused", () => {
    const above = dirname(jan.home);
    for (const [name, owner] of [
      ['roots', 0],
      ['jans', jan.uid],
      ['evas', eva.uid],
    ] as const) {
      symlinkSync(above, join(above, name));
      lchownSync(join(above, name), owner, owner);
      const home = join(above, name, 'home-of-jan');
      expect(opening({ ...jan, home })).toContain(
        name === 'evas' ? `untrusted ${join(above, name)}: belongs to uid ${eva.uid}` : 'missing ',
      );
    }
  });

  test('a home that its group may write to is fine when the group is his own and he is alone in it', () => {
    opening(jan, { create: true });
    chmodSync(jan.home, 0o775);
    expect(opening(jan)).toBe('ok');
    chownSync(jan.home, jan.uid, eva.gid);
    expect(opening(jan)).toContain(`can be written to by group ${eva.gid}`);
    chownSync(jan.home, jan.uid, jan.gid);
    chmodSync(jan.home, 0o755);
  });

  test('a home that its group may write to is refused when the group has another member', () => {
    const uwe = account('uwe');
    const ulf = account('ulf');
    const ina = account('ina');
    execFileSync('gpasswd', ['-a', eva.name, uwe.name], { stdio: 'ignore' });
    execFileSync('usermod', ['-g', ulf.name, ina.name]);
    for (const user of [uwe, ulf]) {
      chmodSync(user.home, 0o775);
      expect(opening(user, { create: true })).toContain('can be written to by group');
    }
    execFileSync('usermod', ['-g', ina.name, ina.name]);
  });

  test('is a mistake of ours outside asUser', () => {
    expect(() => openUserDirectory(jan, { strictModes: true, create: true })).toThrow('within asUser');
  });

  test("a directory opened as a user isn't used as root", async () => {
    const { appendLines } = await import('../../src/unix/append-file.ts');
    const directory = inDirectory(jan, (opened) => opened);
    const options = { sync: false, rules: { owners: 'user', private: false, maxBytes: 100 } } as const;
    expect(() => appendLines(directory, 'usrloc', 'x\n', options)).toThrow(`as uid ${jan.uid}`);
    expect(statSync(jan.home).uid).toBe(jan.uid);
  });
});

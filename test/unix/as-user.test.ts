// The switch of identity: files are really made and refused as the user, and afterwards nothing is left of him.

import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  actingUid,
  asEachUser,
  asOurselves,
  asUser,
  restoreGroups,
  warmThreadPool,
} from '../../src/unix/as-user.ts';
import { type Account, Accounts } from '../host/accounts.ts';
import { describeNeeding } from '../host/required.ts';
import { identityOf, temporaryDirectory } from './temporary-home.ts';

/** A line of this thread's status: `Uid` gives real, effective, saved and file-system uid. */
function status(field: string): string {
  const line = readFileSync('/proc/thread-self/status', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${field}:`));
  return (line ?? '').slice(field.length + 1).trim();
}

const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, groups: [] };

describe('any user', () => {
  test('acts as himself', () => {
    expect(asUser(own, () => actingUid())).toBe(own.uid);
  });

  test('nesting and promises are refused, and what follows works', () => {
    expect(() => asUser(own, () => asUser(own, () => 1))).toThrow('asUser within asUser');
    expect(() => asUser(own, async () => 1)).toThrow('a promise');
    expect(asUser(own, () => 2)).toBe(2);
  });

  test('what is thrown within comes out', () => {
    expect(() =>
      asUser(own, () => {
        throw new RangeError('from within');
      }),
    ).toThrow(RangeError);
    expect(asUser(own, () => 3)).toBe(3);
  });
});

describe('errands', () => {
  test('are run in order; one that throws costs the others nothing', () => {
    const done: number[] = [];
    const errands = [1, 2, 3].map((number) => ({
      identity: own,
      run: () => {
        done.push(number);
        if (number === 2) throw new RangeError('second');
      },
    }));
    expect(asEachUser(errands)).toEqual([undefined, { error: new RangeError('second') }, undefined]);
    expect(done).toEqual([1, 2, 3]);
    expect(asEachUser([])).toEqual([]);
    expect(asUser(own, () => 4)).toBe(4);
  });
});

describe.skipIf(own.uid === 0)('an ordinary user', () => {
  test("can't act as another", () => {
    expect(() => asUser({ uid: 0, gid: 0, groups: [] }, () => 1)).toThrow('only root can act as uid 0');
  });
});

describeNeeding(['root', 'useradd'], 'root', () => {
  let made: Accounts;
  let jan: Account;
  let eva: Account;
  beforeAll(async () => {
    made = new Accounts();
    jan = made.add('jan');
    eva = made.add('eva', []);
    await warmThreadPool();
  });
  afterAll(() => made.remove());

  test('makes files as the user, and is himself afterwards', () => {
    const path = join(jan.home, 'made');
    const before = [status('Uid'), status('Gid'), status('CapEff')];
    asUser(identityOf(jan), () => {
      writeFileSync(path, 'x');
      expect(status('Uid').split('\t').at(-1)).toBe(String(jan.uid));
      expect(status('Gid').split('\t').at(-1)).toBe(String(jan.gid));
      expect(actingUid()).toBe(jan.uid);
    });
    const { uid, gid } = statSync(path);
    expect([uid, gid]).toEqual([jan.uid, jan.gid]);
    expect([status('Uid'), status('Gid'), status('CapEff')]).toEqual(before);
    expect(actingUid()).toBe(0);
  });

  test('runs errands each as its user, from one to the next, and is himself afterwards', () => {
    const before = [status('Uid'), status('Gid'), status('CapEff')];
    const seen: string[] = [];
    const who = () => seen.push(`${status('Uid').split('\t').at(-1)}:${status('Gid').split('\t').at(-1)}`);
    const nobody = { uid: 0xffffffff, gid: 1, groups: [] };
    const thrown = asEachUser([
      { identity: identityOf(jan), run: who },
      {
        identity: identityOf(eva),
        run: () => {
          who();
          throw new Error('of eva');
        },
      },
      { identity: nobody, run: who },
      { identity: identityOf(jan), run: who },
    ]);
    expect(seen).toEqual([`${jan.uid}:${jan.gid}`, `${eva.uid}:${eva.gid}`, `${jan.uid}:${jan.gid}`]);
    expect(thrown.map((each) => (each?.error as Error | undefined)?.message)).toEqual([
      undefined,
      'of eva',
      'not an identity: uid 4294967295, gid 1',
      undefined,
    ]);
    expect([status('Uid'), status('Gid'), status('CapEff')]).toEqual(before);
    expect(actingUid()).toBe(0);
  });

  test("is refused other users' files and root's, in spite of root's capabilities", () => {
    const secret = join(eva.home, 'secret');
    writeFileSync(secret, 'x');
    chmodSync(secret, 0o600);
    const roots = join(temporaryDirectory(), 'file');
    writeFileSync(roots, 'x');
    for (const path of [secret, roots, '/etc/shadow']) {
      expect(() => asUser(identityOf(jan), () => readFileSync(path))).toThrow('EACCES');
      expect(() => asUser(identityOf(jan), () => chmodSync(path, 0o644))).toThrow(/EPERM|EACCES/);
    }
    expect(readFileSync(secret, 'utf8')).toBe('x');
  });

  test('has the groups of the user and no others', () => {
    const path = join(eva.home, 'for-sip');
    const sip = Number(execFileSync('getent', ['group', 'sip'], { encoding: 'utf8' }).split(':')[2]);
    writeFileSync(path, 'x');
    execFileSync('chown', [`root:${sip}`, path]);
    chmodSync(path, 0o640);
    chmodSync(eva.home, 0o755);
    const read = () => readFileSync(path, 'utf8');
    const inSip = { uid: jan.uid, gid: jan.gid, groups: [jan.gid, sip] };
    for (let round = 0; round < 3; round += 1) {
      expect(asUser(inSip, read)).toBe('x');
      expect(() => asUser(identityOf(eva), read)).toThrow('EACCES');
      expect(asUser({ ...identityOf(jan), gid: sip }, read)).toBe('x');
      expect(() => asUser(identityOf(jan), read)).toThrow('EACCES');
    }
  });

  test('the primary group counts without being among the others', () => {
    asUser({ uid: jan.uid, gid: jan.gid, groups: [jan.gid] }, () => expect(status('Groups')).toBe(''));
    asUser({ uid: jan.uid, gid: jan.gid, groups: [4, jan.gid, 24] }, () =>
      expect(status('Groups').split(' ').map(Number)).toEqual([4, 24]),
    );
  });

  test('restoreGroups gives root his own groups back', () => {
    const groups = () => status('Groups').split(' ').filter(Boolean).map(Number);
    restoreGroups();
    const rootsOwn = groups();
    asUser({ uid: jan.uid, gid: jan.gid, groups: [4711] }, () => expect(groups()).toEqual([4711]));
    expect(groups()).toEqual([4711]);
    restoreGroups();
    expect(groups()).toEqual(rootsOwn);
  });

  test('is himself after a throw, a promise and an impossible identity', () => {
    expect(() =>
      asUser(identityOf(jan), () => {
        throw new Error('within');
      }),
    ).toThrow('within');
    expect(() => asUser(identityOf(jan), () => Promise.resolve())).toThrow('a promise');
    for (const uid of [0xffffffff, -1, 1.5, Number.NaN]) {
      expect(() => asUser({ uid, gid: 0, groups: [] }, () => 1)).toThrow('not an identity');
      expect(() => asUser({ uid: 1, gid: uid, groups: [] }, () => 1)).toThrow('not an identity');
      expect(() => asUser({ uid: 1, gid: 1, groups: [uid] }, () => 1)).toThrow('not a list of groups');
    }
    expect(status('Uid')).toBe('0\t0\t0\t0');
    expect(status('Gid').split('\t').at(-1)).toBe('0');
  });

  test('asOurselves is root in between, and the user again afterwards', () => {
    asUser(identityOf(jan), () => {
      expect(asOurselves(() => status('Uid'))).toBe('0\t0\t0\t0');
      expect(() =>
        asOurselves(() => {
          throw new Error('within');
        }),
      ).toThrow('within');
      expect(status('Uid')).toBe(`0\t0\t0\t${jan.uid}`);
      expect(actingUid()).toBe(jan.uid);
    });
  });

  test('the threads of the pool stay root while and after ids are switched', async () => {
    const secret = join(temporaryDirectory(), 'secret');
    writeFileSync(secret, 'x', { mode: 0o600 });
    const reads: Promise<string>[] = [];
    for (let round = 0; round < 200; round += 1) {
      asUser(identityOf(round % 2 === 0 ? jan : eva), () => status('Uid'));
      reads.push(readFile(secret, 'utf8'));
    }
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['x']));
  });
});

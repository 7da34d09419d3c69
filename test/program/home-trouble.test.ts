// What befalls a home (DESIGN §5): full, over quota, to be read only, no descriptors left, its files exchanged under the server's
// hands, its account made anew or renamed. The user has an answer that says so, the others notice nothing, no file is torn.

import { spawn } from 'node:child_process';
import { chownSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { hash } from '../../src/digest/hash.ts';
import { parseUsrloc } from '../../src/home/usrloc.ts';
import { processOf } from '../host/processes.ts';
import { describeNeeding } from '../host/required.ts';
import { runOrThrow } from '../host/run.ts';
import { realm, Served } from './serve-host.ts';
import { isRoot, ToolHost } from './tool-host.ts';

const janUid = 54_321;
const password = 'of jan';

describe.skipIf(!isRoot)('a home (needs root)', () => {
  const host = new ToolHost();
  let served: Served;
  const usrloc = () => readInside(`cat '${host.home('jan')}/.sr/usrloc'`);
  const register = (user: 'jan' | 'tom' = 'jan') => served.register(user, `of ${user}`);

  beforeAll(async () => {
    host.etc('config');
    host.sippasswd('root', ['--stdin', '--realm', realm, 'tom'], 'of tom\n');
    const files = ['KeyFile=/etc/sr/key', 'ControlSocket=/etc/sr/control.sock', 'WriteWtmp=no'];
    served = await Served.start(
      host,
      'root',
      [...files, 'MaxContacts=50'].flatMap((word) => ['-o', word]),
    );
  });
  afterAll(async () => {
    await served?.stop();
    host.remove();
  });
  beforeEach(async () => {
    rmSync(join(host.home('jan'), '.sr'), { recursive: true, force: true });
    host.sippasswd('root', ['--stdin', '--realm', realm, 'jan'], `${password}\n`);
    expect(await register()).toBe(200);
  });

  /** Runs a script of the shell where the server sees the files. */
  const readInside = (script: string): string =>
    runOrThrow(['nsenter', '-t', `${served.shown.pid}`, '-m', '--', 'sh', '-ec', script]);

  /** jan is refused for this cause, tom is not, and jan's contacts are what they were. */
  async function refuses(cause: RegExp): Promise<void> {
    const [before, from] = [usrloc(), served.log().length];
    const status = await register();
    expect([500, 503], served.log().slice(from)).toContain(status);
    expect(served.log().slice(from)).toMatch(cause);
    expect(await register('tom')).toBe(200);
    expect(usrloc()).toBe(before);
    expect(parseUsrloc(before, '').faults).toEqual([]);
  }

  /** Mounts a file system over jan's home, with his ~/.sr in it. */
  function moveTo(mount: string): void {
    const home = host.home('jan');
    const kept = join(home, '../kept');
    cpSync(join(home, '.sr'), join(kept, '.sr'), { recursive: true });
    onTestFinished(() => {
      readInside(`umount -l '${home}'`);
      rmSync(kept, { recursive: true });
    });
    readInside(
      `home='${home}'; ${mount}; chown ${janUid} "$home"; cp -r '${kept}/.sr' "$home"; chown -R ${janUid} "$home/.sr"; chmod 700 "$home/.sr"`,
    );
  }

  test('to be read only is said, and passes', async () => {
    const home = host.home('jan');
    readInside(`mount --bind '${home}' '${home}'; mount -o remount,bind,ro '${home}'`);
    try {
      await refuses(/\.sr\/.*: read-only file system/);
    } finally {
      readInside(`umount '${home}'`);
    }
    expect(await register()).toBe(200);
  });

  test('that is full is said, and passes', async () => {
    moveTo('mount -t tmpfs -o size=64k,mode=755 none "$home"');
    readInside(`dd if=/dev/zero of='${host.home('jan')}/full' bs=1k count=100 2>/dev/null || :`);
    // What is left of the last page of usrloc takes some contacts more.
    await expect.poll(() => register(), { timeout: 10_000, interval: 1 }).not.toBe(200);
    await refuses(/no space left on the device/);
    readInside(`rm '${host.home('jan')}/full'`);
    expect(await register()).toBe(200);
  });

  test('with no descriptors left for it is said, and passes', async () => {
    const worker = processOf(served.shown.pid, 'home-worker');
    const limit = (count: string) => runOrThrow(['prlimit', '--pid', `${worker}`, `--nofile=${count}`]);
    const before = runOrThrow([
      'prlimit',
      '--pid',
      `${worker}`,
      '--nofile',
      '--noheadings',
      '--output',
      'SOFT,HARD',
    ]);
    limit('8:');
    const from = served.log().length;
    // What cannot be opened is nobody's fault, and says nothing of who there is.
    expect(await register()).toBe(500);
    expect(served.log().slice(from)).toMatch(/too many open files/);
    limit(`${before.trim().split(/\s+/)[0]}:`);
    expect(await register()).toBe(200);
  });

  /** Runs a program as jan that exchanges two paths 10,000 times, while he registers 50 times a second. */
  async function exchange(one: string, other: string): Promise<number[]> {
    // renameat2(2) with RENAME_EXCHANGE.
    const number = process.arch === 'arm64' ? 276 : 316;
    const program = `for $at (0 .. 9999) {
      syscall(${number}, -100, $ARGV[0], -100, $ARGV[1], 2) == 0 or die $!;
      # An odd number, so that now the one and now the other lies there for a while.
      select(undef, undef, undef, 0.005) if $at % 19 == 0;
    }`;
    const argv = [
      '--reuid',
      `${janUid}`,
      '--regid',
      `${janUid}`,
      '--clear-groups',
      'perl',
      '-e',
      program,
      one,
      other,
    ];
    const child = spawn('nsenter', ['-t', `${served.shown.pid}`, '-m', '--', 'setpriv', ...argv]);
    let code: number | null | undefined;
    child.once('exit', (exit) => {
      code = exit;
    });
    const answers: Promise<number>[] = [];
    while (code === undefined) {
      answers.push(register());
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(code).toBe(0);
    return Promise.all(answers);
  }

  test.each([
    ['usrloc', '.sr/usrloc', 'file'],
    ['passwd', '.sr/passwd', 'file'],
    ['~/.sr', '.sr', ''],
  ])(
    'whose %s is exchanged 10,000 times for a link to elsewhere leads nowhere',
    { timeout: 60_000 },
    async (_, name, file) => {
      const home = host.home('jan');
      const outside = `${home}.outside`;
      rmSync(outside, { recursive: true, force: true });
      mkdirSync(outside, { mode: 0o755 });
      for (const each of ['file', 'usrloc', 'passwd', 'config', '.lock']) {
        writeFileSync(join(outside, each), `not yours: ${each}\n`, { mode: 0o600 });
        chownSync(join(outside, each), janUid, janUid);
      }
      chownSync(outside, janUid, janUid);
      const sums = () =>
        ['file', 'usrloc', 'passwd', 'config', '.lock'].map((each) =>
          hash('SHA-256', readFileSync(join(outside, each), 'latin1')),
        );
      const before = sums();
      readInside(`ln -s '${join(outside, file)}' '${home}/link'; chown -h ${janUid} '${home}/link'`);
      const statuses = await exchange(join(home, name), join(home, 'link'));
      expect(sums()).toEqual(before);
      expect(statuses.length).toBeGreaterThan(50);
      expect(statuses.filter((status) => ![200, 401, 500].includes(status))).toEqual([]);
      expect(statuses).toContain(200);
      // An even number of exchanges: each is in its place.
      rmSync(join(home, 'link'));
      expect(await register()).toBe(200);
      expect(parseUsrloc(usrloc(), '').faults).toEqual([]);
    },
  );

  describe('whose account', () => {
    const file = (name: string) => readFileSync(host.etc(`../${name}`), 'utf8');
    const passwd = file('passwd');
    const group = file('group');
    beforeEach(() => {
      onTestFinished(() => {
        host.write('etc/passwd', passwd);
        host.write('etc/group', group);
      });
    });

    test('is gone is nobody’s', async () => {
      host.write('etc/passwd', passwd.replace(/^jan:.*\n/m, ''));
      expect(await register()).toBe(401);
    });

    test('is made anew with another uid is not the new one’s', async () => {
      host.write('etc/passwd', passwd.replace(/^jan:x:54321:54321/m, 'jan:x:54399:54399'));
      const from = served.log().length;
      expect(await register()).toBe(401);
      expect(served.log().slice(from)).toMatch(/home\/jan: belongs to uid 54321, not to jan: chown jan /);
    });

    test('has another name is the new one’s, with a password of its own', async () => {
      host.write('etc/passwd', passwd.replace(/^jan:/m, 'jana:'));
      host.write('etc/group', group.replace(/^sip:(.*):jan,/m, 'sip:$1:jana,'));
      expect(await register()).toBe(401);
      expect(await served.register('jana', password)).toBe(401);
      host.sippasswd('root', ['--stdin', '--realm', realm, 'jana'], 'of jana\n');
      expect(await served.register('jana', 'of jana')).toBe(200);
      expect(parseUsrloc(usrloc(), '').bindings.length).toBe(2);
    });
  });
});

describeNeeding(['root', 'mkfs.btrfs'], 'a home over its quota', () => {
  test('is said, and passes', { timeout: 30_000 }, async () => {
    const host = new ToolHost();
    host.etc('config');
    const image = host.write('image', '');
    const home = host.home('jan');
    const files = ['KeyFile=/etc/sr/key', 'ControlSocket=/etc/sr/control.sock', 'WriteWtmp=no'];
    const disk = `${host.home('jan')}.disk`;
    mkdirSync(disk);
    runOrThrow(['truncate', '-s', '130M', image]);
    runOrThrow(['mkfs.btrfs', '-q', image]);
    const before = [
      `mount -o loop '${image}' '${disk}'`,
      `btrfs -q subvolume create '${disk}/jan'`,
      `btrfs -q quota enable '${disk}'`,
      `btrfs -q qgroup limit 256k '${disk}/jan'`,
      `mount --bind '${disk}/jan' '${home}'`,
      `chown ${janUid}:${janUid} '${home}'`,
    ].join(' && ');
    const words = [...files, 'MaxContacts=50'].flatMap((word) => ['-o', word]);
    const served = await Served.start(host, 'root', words, undefined, before);
    onTestFinished(async () => {
      runOrThrow([
        'nsenter',
        '-t',
        `${served.shown.pid}`,
        '-m',
        '--',
        'sh',
        '-c',
        `umount '${home}'; umount '${disk}'`,
      ]);
      await served.stop();
      host.remove();
    });
    const inside = (script: string) =>
      runOrThrow([
        'nsenter',
        '-t',
        `${served.shown.pid}`,
        '-m',
        '--',
        'setpriv',
        '--reuid',
        `${janUid}`,
        '--regid',
        `${janUid}`,
        '--clear-groups',
        'sh',
        '-c',
        script,
      ]);
    inside(`mkdir -m 700 '${home}/.sr'`);
    const { status } = (await import('../host/run.ts')).run(
      [
        'nsenter',
        '-t',
        `${served.shown.pid}`,
        '-m',
        '--',
        ...host.command('root', 'sippasswd', ['--stdin', '--realm', realm, 'jan']).slice(-5),
      ],
      { input: `${password}\n` },
    );
    expect(status).toBe(0);
    expect(await served.register('jan', password)).toBe(200);
    inside(`dd if=/dev/zero of='${home}/full' bs=1k count=1000 2>/dev/null; sync '${home}/full'; :`);
    await expect.poll(() => served.register('jan', password), { timeout: 20_000, interval: 1 }).toBe(500);
    expect(served.log()).toMatch(/disk quota exceeded/);
    inside(`rm '${home}/full'; sync '${home}'`);
    await expect.poll(() => served.register('jan', password), { timeout: 10_000 }).toBe(200);
  });
});

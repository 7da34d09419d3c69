// What each process of a host's server may do (DESIGN §5): by /proc, and by strace(1) from its first instruction on.

import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processesOf, processOf } from '../host/processes.ts';
import { describeNeeding } from '../host/required.ts';
import { Phone } from '../server/phone.ts';
import { password } from '../server/running-server.ts';
import { realm, Served } from './serve-host.ts';
import { isRoot, ToolHost } from './tool-host.ts';

/** capabilities(7). */
const SETGID = 1n << 6n;
const SETUID = 1n << 7n;
const DAC_READ_SEARCH = 1n << 2n;

const files = ['KeyFile=/etc/sr/key', 'ControlSocket=/etc/sr/control.sock', 'WriteWtmp=no'].flatMap(
  (word) => ['-o', word],
);

describe.skipIf(!isRoot)('a server that serves (needs root)', () => {
  const host = new ToolHost();
  let served: Served;

  beforeAll(async () => {
    host.sippasswd('root', ['--stdin', '--realm', realm, 'jan'], `${password}\n`);
    host.etc('config');
    served = await Served.start(
      host,
      'root',
      files,
      undefined,
      'export NODE_OPTIONS= LD_LIBRARY_PATH=/x SECRET=1 TZ=UTC',
    );
    expect(await served.register('jan', password)).toBe(200);
  });
  afterAll(async () => {
    await served?.stop();
    host.remove();
  });

  /** The status of each thread of a process. */
  const threadsOf = (name: string): string[] => {
    const pid = processOf(served.shown.pid, name);
    return readdirSync(`/proc/${pid}/task`).map((task) =>
      readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'),
    );
  };
  const field = (status: string, name: string) =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim();
  const capabilities = (status: string) =>
    ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((name) => BigInt(`0x${field(status, name)}`));

  test('is three processes: one with the sockets, one that works in homes, and root’s', () => {
    expect(
      processesOf(served.shown.pid)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['home-worker', 'server', 'sipctl']);
  });

  test('has no privilege in any thread of the process with the sockets', () => {
    const threads = threadsOf('server');
    expect(threads.length).toBeGreaterThan(5);
    for (const status of threads) {
      expect(field(status, 'Uid')).toBe('54390\t54390\t54390\t54390');
      expect(field(status, 'Gid')).toBe('54390\t54390\t54390\t54390');
      expect(field(status, 'Groups')).toBe('');
      expect(field(status, 'NoNewPrivs')).toBe('1');
      expect(capabilities(status)).toEqual([0n, 0n, 0n, 0n, 0n]);
    }
  });

  test('leaves the worker in homes what it takes to act as their users', () => {
    const kept = SETGID | SETUID | DAC_READ_SEARCH;
    for (const status of threadsOf('home-worker')) {
      expect(field(status, 'Uid')).toMatch(/^0\t0\t0\t/);
      expect(field(status, 'NoNewPrivs')).toBe('1');
      const [inheritable, , , bounding, ambient] = capabilities(status);
      expect([inheritable, bounding, ambient]).toEqual([0n, kept, 0n]);
    }
  });

  test('gives its children a few words of its environment', () => {
    for (const name of ['server', 'home-worker']) {
      const environment = readFileSync(`/proc/${processOf(served.shown.pid, name)}/environ`, 'utf8');
      expect(environment).toBe('TZ=UTC\0');
    }
  });

  test('has network sockets in the one process alone', () => {
    const inodes = new Set(
      ['udp', 'tcp', 'udp6', 'tcp6'].flatMap((table) =>
        readFileSync(`/proc/${served.shown.pid}/net/${table}`, 'utf8')
          .split('\n')
          .slice(1)
          .flatMap((line) => line.trim().split(/\s+/)[9] ?? []),
      ),
    );
    const held = (name: string) => {
      const directory = `/proc/${processOf(served.shown.pid, name)}/fd`;
      return readdirSync(directory).filter((fd) => {
        try {
          return inodes.has(/socket:\[(\d+)\]/.exec(readlinkSync(join(directory, fd)))?.[1] ?? '');
        } catch {
          return false;
        }
      });
    };
    expect(held('server').length).toBeGreaterThanOrEqual(2);
    expect(held('sipctl')).toEqual([]);
    expect(held('home-worker')).toEqual([]);
  });

  test.each(['server', 'sipctl'])('ends, all of it, when its %s is killed', async (name) => {
    const other = await Served.start(host, 'root', [
      ...files.slice(4),
      ...['-o', 'KeyFile=/etc/sr/key2', '-o', 'ControlSocket=/etc/sr/control2.sock'],
    ]);
    const all = processesOf(other.shown.pid);
    process.kill(processOf(other.shown.pid, name), 'SIGKILL');
    await expect.poll(() => all.filter(({ pid }) => isThere(pid))).toEqual([]);
    expect(await other.stop()).toBe(name === 'server' ? 70 : 'SIGKILL');
  });
});

describeNeeding(['root', 'strace'], 'strace of a server', () => {
  const host = new ToolHost();
  const calls = new Map<number, string[]>();

  beforeAll(async () => {
    host.sippasswd('root', ['--stdin', '--realm', realm, 'jan'], `${password}\n`);
    host.sippasswd('root', ['--stdin', '--realm', realm, 'tom'], `${password}\n`);
    host.etc('config');
    const log = host.write('trace', '');
    const traced =
      'execve,setresuid,setresgid,setgroups,setfsuid,setfsgid,openat,openat2,mkdirat,renameat,unlinkat,recvmmsg,recvmsg,recvfrom,accept4';
    const served = await Served.start(
      host,
      'root',
      files,
      undefined,
      `set -- strace -D -f -qq -s 300 -o '${log}' -e trace=${traced} -- "$@"`,
    );
    for (const user of ['jan', 'tom', 'jan'] as const) {
      const phone = new Phone(await served.agent(), user);
      const contact = `<${phone.contact}>`;
      expect((await phone.agent.register({ user, password, domain: realm, contact })).status).toBe(200);
    }
    await served.stop();
    // A call that another thread's comes in the middle of is on two lines.
    const begun = new Map<string, string>();
    for (const line of readFileSync(log, 'utf8').split('\n')) {
      const [, pid, text] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
      if (pid === undefined || text === undefined) continue;
      if (text.endsWith('<unfinished ...>')) {
        begun.set(pid, text.replace(/ ?<unfinished \.\.\.>$/, ''));
        continue;
      }
      const call = text.replace(/^<\.\.\. \w+ resumed>/, () => begun.get(pid) ?? '');
      calls.set(Number(pid), [...(calls.get(Number(pid)) ?? []), call]);
    }
  }, 60_000);
  afterAll(() => host.remove());

  /** The calls of the main thread of a program. */
  const callsOf = (script: string): string[] => {
    const found = [...calls.values()].find((all) =>
      all.some((call) => call.startsWith('execve') && call.includes(`"${script}`)),
    );
    if (found === undefined) throw new Error(`no ${script} was started`);
    return found;
  };
  const scriptPath = (name: string) =>
    (host.command('root', 'sipctl', []).find((word) => word.endsWith('bin/sipctl.js')) as string).replace(
      'bin/sipctl.js',
      `dist/${name}.js`,
    );

  test('shows the process with the sockets give up everything before it is what it is, and take no datagram before', () => {
    const all = callsOf(scriptPath('server'));
    const began = all.findIndex((call) => /^execve\("[^"]*node", .* = 0$/.test(call));
    const before = all.slice(0, began).join('\n');
    expect(before).toMatch(/^setgroups\(0, (?:NULL|\[\])\) += 0$/m);
    expect(before).toMatch(/^setresuid\(54390, 54390, 54390\) += 0$/m);
    expect(before).toMatch(/^setresgid\(54390, 54390, 54390\) += 0$/m);
    expect(before).not.toMatch(/^(?:recv|accept)/m);
    const after = all.slice(began).join('\n');
    expect(after).toMatch(/^recvmmsg/m);
    expect(after).not.toMatch(/^set/m);
    expect(after).not.toContain(host.home('jan'));
  });

  test('shows every open below a home done with the user’s fsuid, fsgid and groups', () => {
    const uidOf = (user: 'jan' | 'tom') => statSync(host.home(user)).uid;
    let [fsuid, fsgid, groups] = [0, 0, ''];
    let below = 0;
    /** Descriptors of directories below homes, and whose. */
    const owners = new Map<number, number>();
    for (const call of callsOf(scriptPath('home-worker'))) {
      const set = /^set(fsuid|fsgid|groups)\((\d+)(?:, \[?([\d, ]*)\]?)?\)/.exec(call);
      if (set !== null) {
        if (set[2] === '4294967295') continue;
        if (set[1] === 'fsuid') fsuid = Number(set[2]);
        else if (set[1] === 'fsgid') fsgid = Number(set[2]);
        else groups = set[3] ?? '';
        continue;
      }
      const [, from = '', path = '', result] = /^\w+\((AT_FDCWD|\d+), "([^"]*)".* = (-?\d+)/.exec(call) ?? [];
      const user = (['jan', 'tom'] as const).find((each) => path.startsWith(host.home(each)));
      const owner = user === undefined ? owners.get(Number(from)) : uidOf(user);
      if (/^open/.test(call) && Number(result) >= 0) {
        if (owner === undefined) owners.delete(Number(result));
        else owners.set(Number(result), owner);
      }
      if (owner === undefined) continue;
      below++;
      expect([call, fsuid, fsgid, groups]).toEqual([
        call,
        owner,
        owner,
        owner === uidOf('jan') ? '54400' : '54400, 54401',
      ]);
    }
    expect(below).toBeGreaterThan(12);
  });
});

function isThere(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

// sipctl setup: what it writes, makes and asks, on a host with the host's own groupadd(8) and gpasswd(1).

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasProgram } from '../host/required.ts';
import { canPlayUsers, isRoot, ToolHost } from './tool-host.ts';

let host: ToolHost;
beforeEach(() => {
  host = new ToolHost();
});
afterEach(() => host.remove());

const setup = (...words: string[]) => host.run('root', 'sipctl', ['setup', ...words]);
const config = () => readFileSync(host.etc('config'), 'utf8');

test.skipIf(!canPlayUsers)('is for root alone (needs root or libnss_wrapper)', () => {
  expect(host.run('jan', 'sipctl', ['setup', '--yes'])).toEqual({
    status: 77,
    stdout: '',
    stderr: 'sipctl: only root may write the configuration and the groups of a host\n',
  });
});

const canSetUp = isRoot && hasProgram('groupadd') && hasProgram('gpasswd');
describe.skipIf(!canSetUp)('sipctl setup, run by root (needs root, groupadd and gpasswd)', () => {
  test('--yes writes the realm of the host, and nothing that is the default', () => {
    const realm = hostname().toLowerCase();
    expect(setup('--yes')).toEqual({
      status: 0,
      stdout: `/etc/sr/config, a new file:\n  + Realm ${realm}\ndone\nnext:\n  sipctl serve\n`,
      stderr: '',
    });
    expect(config()).toBe(`Realm ${realm}\n`);
    const modeOf = (name: string) => statSync(host.etc(name)).mode & 0o7777;
    expect([modeOf('config'), modeOf('.'), statSync(host.etc('config')).uid]).toEqual([0o644, 0o755, 0]);
  });

  test('makes the group and its members, and a second time does nothing and says so', () => {
    const words = [
      ...['--yes', '--realm', 'sip.example.org', '--listen', 'udp:127.0.0.1:5070', '--listen', 'tcp:*'],
      ...['--group', 'phones', '--user', 'jan', '--user', 'eva'],
    ];
    host.sippasswd('root', ['--realm', 'sip.example.org', '--batch'], 'eva:sesame\n');
    const first = setup(...words);
    expect(first).toEqual({
      status: 0,
      stdout: `/etc/sr/config, a new file:
  + Realm sip.example.org
  + Listen udp:127.0.0.1:5070 tcp:*
  + AllowGroups phones
groups and accounts:
  groupadd --system phones
  gpasswd -a jan phones
  gpasswd -a eva phones
done
next:
  sippasswd jan
  sipctl serve
`,
      stderr: '',
    });
    expect(host.members('phones')).toEqual(['jan', 'eva']);
    expect(host.run('root', 'sipctl', ['serve', '-t']).status).toBe(0);
    expect(JSON.parse(host.run('root', 'sipctl', ['user', 'show', 'jan', '--json']).stdout)).toMatchObject({
      realm: 'sip.example.org',
      refused: null,
    });

    const before = statSync(host.etc('config'));
    const again = 'nothing to change: all of this is so already\nnext:\n  sippasswd jan\n  sipctl serve\n';
    expect(setup(...words)).toEqual({ status: 0, stdout: again, stderr: '' });
    expect(setup('--yes', '--user', 'jan')).toEqual({ status: 0, stdout: again, stderr: '' });
    const after = statSync(host.etc('config'));
    expect([after.ino, after.mtimeMs]).toEqual([before.ino, before.mtimeMs]);
    expect(host.members('phones')).toEqual(['jan', 'eva']);
  });

  test('keeps the other lines of a file, and its mode', () => {
    writeFileSync(host.etc('config'), '# ours\nRealm x # old\nMaxContacts 3\n');
    chmodSync(host.etc('config'), 0o600);
    const { stdout } = setup('--yes', '--realm', 'y', '--user', 'eva');
    expect(stdout).toContain(
      '/etc/sr/config:\n  - Realm x # old\n  + Realm y # old\ngroups and accounts:\n  gpasswd -a eva sip\ndone\n',
    );
    expect(config()).toBe('# ours\nRealm y # old\nMaxContacts 3\n');
    expect(statSync(host.etc('config')).mode & 0o777).toBe(0o600);
    expect(host.members('sip')).toEqual(['jan', 'tom', 'eva']);
  });

  test('-f writes another file, for which the next commands are', () => {
    host.etc('.');
    const { status, stdout } = setup('--yes', '-f', '/etc/sr/other', '--realm', 'y', '--user', 'jan');
    expect([status, stdout]).toEqual([
      0,
      '/etc/sr/other, a new file:\n  + Realm y\ndone\nnext:\n  sippasswd --realm y jan\n  sipctl serve -f /etc/sr/other\n',
    ]);
    expect([existsSync(host.etc('config')), readFileSync(host.etc('other'), 'utf8')]).toEqual([
      false,
      'Realm y\n',
    ]);
  });

  test.each([
    [
      [],
      64,
      'no terminal to ask on: give --yes, and by --realm, --listen, --group and --user what is not to stay as it is',
    ],
    [['--yes', '--realm', 'a b'], 65, 'Realm: expected a realm'],
    [['--yes', '--listen', 'sctp:*:5060'], 65, expect.stringMatching(/^Listen: expected udp:ADDRESS:PORT/)],
    [['--yes', '--group', '-x'], 65, 'group: expected a name of small letters, digits, _ and -'],
    [['--yes', '--user', 'nobody-here'], 67, 'user nobody-here does not exist'],
    [['--yes', '--user', 'root'], 78, 'user root: uid 0 is below MinUid 1000'],
  ])('%j is refused with %i, and changes nothing', (words, exit, why) => {
    const { status, stdout, stderr } = setup(...words);
    expect([status, stdout, stderr.replace(/^sipctl: (.*)\n$/, '$1')]).toEqual([exit, '', why]);
    expect(existsSync(host.etc('config'))).toBe(false);
  });

  test('a file with a fault is not touched', () => {
    writeFileSync(host.etc('config'), 'Relm x\n');
    const { status, stderr } = setup('--yes', '--realm', 'y');
    expect([status, stderr]).toEqual([
      78,
      'sipctl: /etc/sr/config:1: Relm: unknown keyword (did you mean Realm?)\nsipctl: /etc/sr/config is to be mended first; nothing changed\n',
    ]);
    expect(config()).toBe('Relm x\n');
  });

  test('asks for what no option gives, again where an answer is none, and then whether to do it', async () => {
    const session = host.session('root', 'sipctl', ['setup', '--listen', 'udp:127.0.0.1:5070']);
    await session.shows(/Realm of challenges and passwords: \(\S+\)/);
    session.type('sip.example.org\r');
    await session.shows(/Group whose members are served: \(sip\)/);
    session.type('\r');
    await session.shows(/First users, none or some:/);
    session.type('eva, paul\r');
    await session.shows(/user paul does not exist/);
    session.type('\x7f'.repeat(6));
    session.type('\r');
    await session.shows(/\+ Realm sip\.example\.org\r\n {2}\+ Listen udp:127\.0\.0\.1:5070\r\n/);
    await session.shows(/gpasswd -a eva sip\r\n/);
    await session.shows(/Do this\?/);
    expect(existsSync(host.etc('config'))).toBe(false);
    session.type('y\r');
    await session.shows(/done\r\nnext:\r\n {2}sippasswd eva\r\n {2}sipctl serve\r\n/);
    expect(await session.end()).toBe(0);
    expect(session.text()).not.toMatch(/Listen on/);
    expect(config()).toBe('Realm sip.example.org\nListen udp:127.0.0.1:5070\n');
    expect(host.members('sip')).toEqual(['jan', 'tom', 'eva']);
  });

  test('a file that is changed while it asks stays as it is changed', async () => {
    const session = host.session('root', 'sipctl', [
      ...['setup', '--realm', 'x', '--listen', 'udp:*', '--group', 'sip', '--user', 'eva'],
    ]);
    await session.shows(/Do this\?/);
    writeFileSync(host.etc('config'), 'Realm other\n');
    session.type('\r');
    await session.shows(/sipctl: \/etc\/sr\/config: was changed meanwhile/);
    expect(await session.end()).toBe(75);
    expect([config(), host.members('sip')]).toEqual(['Realm other\n', ['jan', 'tom']]);
  });

  test('says which command failed and why, and goes on from there the next time', () => {
    const gshadow = host.etc('../gshadow');
    const content = readFileSync(gshadow);
    rmSync(gshadow);
    mkdirSync(gshadow);
    const failed = setup('--yes', '--realm', 'x', '--group', 'phones', '--user', 'eva');
    expect(failed.stderr).toMatch(
      /^sipctl: groupadd --system phones: groupadd: .*gshadow.*; what comes before it is done\n$/s,
    );
    expect([failed.status, host.members('phones')]).toEqual([71, undefined]);
    rmdirSync(gshadow);
    writeFileSync(gshadow, content, { mode: 0o640 });
    const { status, stdout } = setup('--yes', '--group', 'phones', '--user', 'eva');
    expect([status, stdout]).toEqual([
      0,
      'groups and accounts:\n  groupadd --system phones\n  gpasswd -a eva phones\ndone\nnext:\n  sippasswd eva\n  sipctl serve\n',
    ]);
    expect(host.members('phones')).toEqual(['eva']);
  });

  test.each([
    ['no', 'n\r', 0, /\r\nnothing changed\r\n/],
    ['Ctrl-C', '\x03', 66, /sipctl: interrupted; nothing changed/],
  ])('%s to the last question changes nothing', async (_, keys, exit, said) => {
    const session = host.session('root', 'sipctl', [
      'setup',
      '--realm',
      'x',
      '--group',
      'phones',
      '--user',
      'eva',
    ]);
    await session.shows(/Listen on, \* being all addresses: \(udp:\*:5060, tcp:\*:5060\)/);
    session.type('\r');
    await session.shows(/Do this\?/);
    session.type(keys);
    await session.shows(said);
    expect(await session.end()).toBe(exit);
    expect([existsSync(host.etc('config')), host.members('phones')]).toEqual([false, undefined]);
  });
});

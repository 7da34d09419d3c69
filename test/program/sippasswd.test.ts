// sippasswd as an ordinary user runs it for himself: pipes, exit codes, exact messages (DESIGN §2, §6).

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, statSync, symlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { hasProgram } from '../host/required.ts';
import { run } from '../host/run.ts';
import { canPlayUsers, isRoot, ToolHost } from './tool-host.ts';

const realm = hostname().toLowerCase();
const md5 = (text: string) => createHash('md5').update(text).digest('hex');

describe.skipIf(!canPlayUsers)('sippasswd, run by jan (needs root or libnss_wrapper)', () => {
  const host = new ToolHost();
  afterAll(() => host.remove());
  beforeEach(() => host.clean());
  const asJan = (words: readonly string[], input = '') => host.sippasswd('jan', words, input);
  const fields = () => (host.file('jan', 'passwd') ?? '').trimEnd().split(':');

  test('makes ~/.sr (0700), passwd (0600) and all hashes', () => {
    const done = asJan(['--stdin'], 'secret\n');
    expect(done).toEqual({ status: 0, stdout: `SIP password of jan for realm ${realm} set\n`, stderr: '' });
    expect(statSync(join(host.home('jan'), '.sr')).mode & 0o777).toBe(0o700);
    expect(statSync(join(host.home('jan'), '.sr/passwd')).mode & 0o777).toBe(0o600);
    const [user, inRealm, did, uid, flags, password, ha1, ha1b, ...others] = fields();
    expect([user, inRealm, did, uid, flags, password]).toEqual(['jan', realm, '_default', 'jan', 's', '']);
    expect(ha1).toBe(md5(`jan:${realm}:secret`));
    expect(ha1b).toBe(md5(`jan@${realm}:${realm}:secret`));
    expect(others.slice(0, 4).map((hash) => hash.length)).toEqual([64, 64, 64, 64]);
    expect(others[4]).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });

  test('asks for the old password once there is one, and keeps it when it is wrong', () => {
    asJan(['--stdin'], 'first\n');
    const before = host.file('jan', 'passwd');
    expect(asJan(['--stdin'], 'second\n')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'sippasswd: standard input has 1 line, expected two: the old password, then the new one\n',
    });
    expect(asJan(['--stdin'], 'wrong\nsecond\n')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'sippasswd: wrong password; nothing changed\n',
    });
    expect(host.file('jan', 'passwd')).toBe(before);
    expect(asJan(['--stdin'], 'first\nsecond\n').status).toBe(0);
    expect(fields()[6]).toBe(md5(`jan:${realm}:second`));
  });

  test('takes the old password in another realm too', () => {
    asJan(['--stdin', '--realm', 'old.example'], 'first\n');
    expect(asJan(['--stdin', '--realm', 'new.example'], 'no\nsecond\n').status).toBe(1);
    expect(asJan(['--stdin', '--realm', 'new.example'], 'first\nsecond\n').status).toBe(0);
    expect(host.file('jan', 'passwd')?.split('\n')).toHaveLength(3);
  });

  test.each([
    'pa:ss',
    '"quoted"',
    "it's",
    ' leading and trailing ',
    'žluťoučký kůň',
    '日本語',
    '100%',
    '\\',
    '{PLAIN}x',
  ])('hashes %j as a phone does, and verifies it', (password) => {
    expect(asJan(['--stdin'], `${password}\n`).status).toBe(0);
    expect(fields()[6]).toBe(md5(`jan:${realm}:${password}`));
    expect(asJan(['--verify', '--stdin'], `${password}\n`)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(asJan(['--verify', '--stdin'], `${password}x\n`)).toEqual({
      status: 1,
      stdout: '',
      stderr: 'sippasswd: wrong password\n',
    });
  });

  test('normalises to NFC (RFC 7616 §4)', () => {
    asJan(['--stdin'], 'u\u0308\n');
    expect(fields()[6]).toBe(md5(`jan:${realm}:\u00fc`));
  });

  test.each([
    ['', 'the password is empty'],
    ['a\tb', 'the password has control characters'],
    ['a\u0085b', 'the password has control characters'],
    ['a\r', 'the password has control characters'],
    ['x'.repeat(257), 'the password is over 256 bytes'],
  ])('refuses %j', (password, why) => {
    const done = asJan(['--stdin'], `${password}\n`);
    expect(done).toEqual({ status: 3, stdout: '', stderr: `sippasswd: ${why}; nothing changed\n` });
    expect(existsSync(join(host.home('jan'), '.sr'))).toBe(false);
  });

  test('refuses a second line instead of cutting the password', () => {
    const done = asJan(['--stdin'], 'one\ntwo\n');
    expect(done.stderr).toBe('sippasswd: standard input has 2 lines, expected one: the new password\n');
    expect(done.status).toBe(3);
  });

  test('needs --stdin without a terminal', () => {
    expect(asJan([], 'secret\nsecret\n')).toEqual({
      status: 2,
      stdout: '',
      stderr: 'sippasswd: standard input is not a terminal: give the password to --stdin\n',
    });
  });

  test('generates a password that verifies, and prints nothing else', () => {
    const { status, stdout, stderr } = asJan(['--generate']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^[a-hj-kmnp-z2-9]{20}\n$/);
    expect(asJan(['--verify', '--stdin'], stdout).status).toBe(0);
    expect(asJan(['--generate']).status).toBe(2);
    const again = asJan(['--generate', '--stdin', '--json'], stdout);
    expect(JSON.parse(again.stdout)).toMatchObject({ user: 'jan', realm, did: '_default' });
    expect(asJan(['--verify', '--stdin'], `${JSON.parse(again.stdout).password}\n`).status).toBe(0);
  });

  test.each([
    ['ha1', /^$/],
    ['sha1', /^\{SSHA\}[A-Za-z0-9+/]{36,}=*$/],
    ['plain', /^\{PLAIN\}s%3Aecret$/],
  ])('stores --format %s beside the hashes', (format, stored) => {
    expect(asJan(['--stdin', '--format', format], 's:ecret\n').status).toBe(0);
    expect(fields()[5]).toMatch(stored);
    expect(fields()[6]).toBe(md5(`jan:${realm}:s:ecret`));
    expect(asJan(['--verify', '--stdin'], 's:ecret\n').status).toBe(0);
    expect(asJan(['--stdin'], 's:ecret\nnext\n').status).toBe(0);
  });

  test('keeps comments, blank lines, other realms and faulty lines, which it reports', () => {
    const foreign = `eva:${realm}:_default:eva:s::${md5('x')}`;
    host.writeFile('jan', 'passwd', `# mine\n\n${foreign}\n`);
    const done = asJan(['--stdin', '--did', 'home'], 'secret\n');
    const path = join(host.home('jan'), '.sr/passwd');
    expect(done.status).toBe(0);
    expect(done.stderr).toBe(`sippasswd: ${path}:3: auth_username: names another account\n`);
    expect(host.file('jan', 'passwd')).toMatch(new RegExp(`^# mine\\n\\n${foreign}\\njan:[^\\n]*\\n$`));
  });

  test('says whose password it is not to change', () => {
    expect(asJan(['--stdin', 'eva'], 'x\n')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'sippasswd: only root may do that for eva\n',
    });
    expect(asJan(['--stdin', 'nobody-at-all'], 'x\n')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'sippasswd: user nobody-at-all does not exist\n',
    });
    expect(asJan(['--stdin', 'jan'], 'x\n').status).toBe(0);
  });

  test.each([
    [['-l', 'jan'], 'lock an account'],
    [['-u', 'jan'], 'unlock an account'],
    [['-e', 'never', 'jan'], 'let an account expire'],
    [['-a', '-S'], 'see the status of all accounts'],
    [['--batch'], 'set many passwords'],
    [['--import', '/etc/passwd'], 'import passwords'],
  ])('leaves %j to root', (words, what) => {
    expect(asJan(words)).toEqual({ status: 1, stdout: '', stderr: `sippasswd: only root may ${what}\n` });
  });

  test('shows the status in one line, without what only root can read', () => {
    expect(asJan(['-S'])).toEqual({ status: 0, stdout: `jan NP - ? ${realm} -\n`, stderr: '' });
    asJan(['--stdin'], 'secret\n');
    const today = fields()[12];
    expect(asJan(['-S']).stdout).toBe(`jan P ${today} ? ${realm} MD5,SHA-256,SHA-512-256\n`);
    host.writeFile('jan', 'passwd', (host.file('jan', 'passwd') ?? '').replace(':jan:s:', ':jan:sd:'));
    expect(asJan(['-S']).stdout).toBe(`jan D ${today} ? ${realm} MD5,SHA-256,SHA-512-256\n`);
    expect(JSON.parse(asJan(['-S', '--json', '--realm', 'x']).stdout)).toEqual({
      user: 'jan',
      status: 'NP',
      changed: null,
      expires: null,
      realm: 'x',
      did: '_default',
      algorithms: [],
    });
  });

  test('deletes: all, or one realm', () => {
    expect(asJan(['-d'])).toEqual({ status: 4, stdout: '', stderr: 'sippasswd: jan has no SIP password\n' });
    asJan(['--stdin', '--realm', 'a'], 'one\n');
    asJan(['--stdin', '--realm', 'b'], 'one\ntwo\n');
    expect(asJan(['-d', '--realm', 'c']).stderr).toBe('sippasswd: jan has no such SIP password\n');
    expect(asJan(['-d', '--realm', 'a'])).toEqual({
      status: 0,
      stdout: 'SIP password of jan deleted\n',
      stderr: '',
    });
    expect(host.file('jan', 'passwd')).toMatch(/^jan:b:[^\n]*\n$/);
    expect(JSON.parse(asJan(['-d', '--json']).stdout)).toEqual({ user: 'jan', deleted: 1 });
    expect(host.file('jan', 'passwd')).toBe('');
    expect(asJan(['--verify', '--stdin'], 'two\n')).toEqual({
      status: 1,
      stdout: '',
      stderr: `sippasswd: jan has no SIP password for realm ${realm}\n`,
    });
  });

  test('takes Realm from ~/.sr/server', () => {
    host.writeFile('jan', 'server', 'Realm own.example\n');
    expect(asJan(['-S']).stdout).toBe('jan NP - ? own.example -\n');
  });

  test.each([
    [['-l', '-u', 'jan'], 2, '--lock and --unlock exclude each other'],
    [['-S', '--stdin'], 2, '--stdin does not go with --status'],
    [['-a'], 2, '--all needs --status'],
    [['-l'], 2, '--lock needs the name of an account'],
    [['-S', '-a', 'jan'], 2, 'no account is named with --all'],
    [['--frob'], 2, "unknown option '--frob'"],
    [
      ['--format', 'md5'],
      2,
      "option '--format <FORMAT>' argument 'md5' is invalid. Allowed choices are ha1, sha1, plain.",
    ],
    [['jan', 'eva'], 2, 'too many arguments. Expected 1 argument but got 2.'],
    [['--stdin', '--realm', ''], 6, '--realm: expected 1 to 255 printable characters'],
    [['--stdin', '--did', 'a\nb'], 6, '--did: expected 1 to 255 printable characters'],
    [['-e', '2026-02-30', 'jan'], 6, '--expire: expected a day as YYYY-MM-DD, or never'],
  ])('refuses %j', (words, status, why) => {
    expect(asJan(words)).toEqual({ status, stdout: '', stderr: `sippasswd: ${why}\n` });
  });

  test('refuses a ~/.sr that leads elsewhere, or that others can write to (StrictModes)', () => {
    const directory = join(host.home('jan'), '.sr');
    host.writeFile('jan', 'passwd', '');
    chmodSync(directory, 0o777);
    expect(asJan(['--stdin'], 'x\n')).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/^sippasswd: .*\/jan\/\.sr: .*: chmod .*\n$/),
    });
    host.clean();
    symlinkSync('/etc', directory);
    expect(asJan(['--stdin'], 'x\n').status).toBe(3);
  });

  test.skipIf(!hasProgram('flock'))('gives up after 200 ms while another writer holds the lock', () => {
    asJan(['--stdin'], 'first\n');
    const before = host.file('jan', 'passwd');
    const path = join(host.home('jan'), '.sr/.lock');
    const command = host.command('jan', 'sippasswd', ['--stdin']);
    const done = run(['flock', path, ...command], { input: 'first\nsecond\n', env: host.environment() });
    expect(done).toEqual({
      status: 5,
      stdout: '',
      stderr: `sippasswd: ${path}: is locked by another program\n`,
    });
    expect(host.file('jan', 'passwd')).toBe(before);
  });

  test('loses nothing when many run at once', async () => {
    host.writeFile('jan', 'passwd', '# kept\n');
    const realms = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    // Old passwords are asked for once the file has a credential: by root there is no such order.
    const as = isRoot ? 'root' : 'jan';
    const input = isRoot ? 'secret\n' : 'secret\nsecret\n';
    if (!isRoot) asJan(['--stdin', '--realm', 'first'], 'secret\n');
    const codes = await Promise.all(
      realms.map(
        (name) =>
          new Promise((done) => {
            const words = ['--stdin', '--realm', name, 'jan'];
            const [program, ...rest] = host.command(as, 'sippasswd', words) as [string, ...string[]];
            const child = spawn(program, rest, {
              env: host.environment(),
              stdio: ['pipe', 'ignore', 'ignore'],
            });
            child.stdin.end(input);
            child.once('exit', done);
          }),
      ),
    );
    // A slow disk may keep the lock for longer than the others wait: they say so (5) and have changed nothing.
    expect(codes.filter((code) => code !== 0 && code !== 5)).toEqual([]);
    expect(codes).toContain(0);
    const lines = (host.file('jan', 'passwd') ?? '').trimEnd().split('\n');
    const written = lines.flatMap((line) => /^jan:([a-h]):/.exec(line)?.[1] ?? []).sort();
    expect(written).toEqual(realms.filter((_, at) => codes[at] === 0));
    expect(lines[0]).toBe('# kept');
  });
});

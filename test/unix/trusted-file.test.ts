// Reading a file of ~/.sr: what is refused, what a version tells, and what an owner who swaps files can't do.

import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { appendLines } from '../../src/unix/append-file.ts';
import { asUser } from '../../src/unix/as-user.ts';
import type { Account } from '../../src/unix/nss.ts';
import { replaceFile } from '../../src/unix/replace-file.ts';
import type { Trouble } from '../../src/unix/trouble.ts';
import { closeUserDirectory, openUserDirectory } from '../../src/unix/trusted-directory.ts';
import {
  type FileRules,
  type FileVersion,
  fileVersion,
  isSameState,
  readFile,
} from '../../src/unix/trusted-file.ts';
import { describeNeeding } from '../host/required.ts';
import {
  bundleProgram,
  identityOf,
  inDirectory,
  RULES,
  temporaryAccount,
  temporaryDirectory,
} from './temporary-home.ts';

const READABLE: FileRules = { ...RULES, private: false };

/** A home with ~/.sr/passwd, last changed a minute ago. */
function withPasswd(content = 'secret\n'): { account: Account; path: string } {
  const account = temporaryAccount();
  inDirectory(account, () => {});
  const path = join(account.home, '.sr/passwd');
  writeFileSync(path, content, { mode: 0o600 });
  age(path);
  return { account, path };
}

function age(path: string): void {
  const minuteAgo = Date.now() / 1000 - 60;
  utimesSync(path, minuteAgo, minuteAgo);
}

function read(account: Account, rules = RULES): ReturnType<typeof readFile> {
  return inDirectory(account, (directory) => readFile(directory, 'passwd', rules));
}

function version(account: Account, rules = RULES): FileVersion | Trouble {
  return inDirectory(account, (directory) => fileVersion(directory, 'passwd', rules));
}

/** Both ways of looking refuse in the same words. */
function expectRefused(account: Account, why: string, rules = RULES): void {
  const looked = version(account, rules);
  const got = read(account, rules);
  for (const found of [looked, got]) expect(found).toMatchObject({ type: 'trouble', kind: 'untrusted' });
  expect((looked as Trouble).why).toContain(why);
}

describe('content', () => {
  test('is octets, whole and as they are', () => {
    const octets = Buffer.from(Array.from({ length: 1000 }, (_, at) => at % 256));
    const { account, path } = withPasswd();
    writeFileSync(path, octets);
    expect(read(account)).toMatchObject({ content: octets.toString('latin1') });
    writeFileSync(path, '');
    expect(read(account)).toMatchObject({ content: '' });
    writeFileSync(path, 'x'.repeat(200_000));
    expect(read(account, { ...RULES, maxBytes: 200_000 })).toMatchObject({ content: 'x'.repeat(200_000) });
  });

  test('of a missing file is undefined, and so is its version', () => {
    const { account, path } = withPasswd();
    unlinkSync(path);
    expect(read(account)).toBe(undefined);
    expect(version(account)).toBe(undefined);
  });
});

describe('refused is', () => {
  test('a symbolic link, wherever it leads', () => {
    const { account, path } = withPasswd();
    for (const target of ['/etc/passwd', 'usrloc', '/nowhere', '.']) {
      unlinkSync(path);
      symlinkSync(target, path);
      expectRefused(account, 'is a symbolic link', READABLE);
    }
  });

  test('a hard link', () => {
    const { account, path } = withPasswd();
    linkSync(path, `${path}.second`);
    expectRefused(account, 'has 2 hard links');
  });

  test('a directory, a FIFO', () => {
    const { account, path } = withPasswd();
    unlinkSync(path);
    mkdirSync(path, { mode: 0o700 });
    expectRefused(account, 'is a directory');
    renameSync(path, `${path}.old`);
    execFileSync('mkfifo', ['-m', '600', path]);
    expectRefused(account, 'is a FIFO');
  });

  test('a socket', async () => {
    const { account, path } = withPasswd();
    unlinkSync(path);
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    expectRefused(account, 'is a socket');
  });

  test.each(['640', '604', '660', '606', '620', '602'])('a private file with mode %s', (mode) => {
    const { account, path } = withPasswd();
    chmodSync(path, Number.parseInt(mode, 8));
    expectRefused(account, 'by group or others');
    execFileSync('sh', ['-c', (version(account) as Trouble).mend ?? 'false']);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    expect(read(account)).toMatchObject({ content: 'secret\n' });
  });

  test.each(['660', '606', '622'])('another file with mode %s', (mode) => {
    const { account, path } = withPasswd();
    chmodSync(path, Number.parseInt(mode, 8));
    expectRefused(account, 'can be written to by group or others', READABLE);
  });

  test('a file larger than the rules say, without reading it', () => {
    const { account, path } = withPasswd();
    truncateSync(path, 10 * 2 ** 30);
    expectRefused(account, 'is larger than 65536 bytes');
    truncateSync(path, 65_537);
    expectRefused(account, 'is larger than 65536 bytes');
    truncateSync(path, 65_536);
    expect(read(account)).toMatchObject({ content: 'secret\n'.padEnd(65_536, '\0') });
  });

  test('a name that is no name', () => {
    const { account } = withPasswd();
    for (const name of ['', '.', '..', 'a/b', '/etc/passwd', 'a\0b']) {
      expect(() => inDirectory(account, (directory) => readFile(directory, name, RULES))).toThrow();
    }
  });
});

test('modes 644 and 640 are fine for what is not private', () => {
  const { account, path } = withPasswd();
  for (const mode of [0o644, 0o640, 0o600, 0o400]) {
    chmodSync(path, mode);
    expect(read(account, READABLE)).toMatchObject({ content: 'secret\n' });
  }
});

test('without StrictModes modes do not count, but types and links do', () => {
  const { account, path } = withPasswd();
  chmodSync(path, 0o666);
  const lax = () =>
    asUser(identityOf(account), () => {
      const directory = openUserDirectory(account, { strictModes: false, create: false });
      if (directory.type === 'trouble') throw new Error(directory.why);
      const found = readFile(directory, 'passwd', RULES);
      closeUserDirectory(directory);
      return found;
    });
  expect(lax()).toMatchObject({ content: 'secret\n' });
  linkSync(path, `${path}.second`);
  expect(lax()).toMatchObject({ kind: 'untrusted' });
});

describeNeeding(['root'], "other users' files", () => {
  test("are refused; root's count where the rules say so", () => {
    const { account, path } = withPasswd();
    const jan: Account = { ...account, name: 'jan', uid: 54_321, gid: 54_321 };
    execFileSync('chown', ['-R', '54321:54321', account.home]);
    // As mkdtemp makes it, the directory above is root's alone.
    chmodSync(join(account.home, '..'), 0o755);
    expect(read(jan)).toMatchObject({ content: 'secret\n' });
    chownSync(path, 54_322, 54_321);
    chmodSync(path, 0o644);
    expectRefused(jan, 'belongs to uid 54322', READABLE);
    chownSync(path, 0, 0);
    expectRefused(jan, 'belongs to uid 0', READABLE);
    expect(read(jan, { ...READABLE, owners: 'user-or-root' })).toMatchObject({ content: 'secret\n' });
    chmodSync(path, 0o600);
    expect(read(jan, { ...READABLE, owners: 'user-or-root' })).toMatchObject({
      kind: 'untrusted',
      why: 'permission denied',
    });
  });

  test('a device is refused', () => {
    const { account, path } = withPasswd();
    unlinkSync(path);
    execFileSync('mknod', ['-m', '600', path, 'c', '1', '3']);
    expectRefused(account, 'is a device');
  });
});

describe('a version', () => {
  test('stays while nothing changes, and is what was read', () => {
    const { account } = withPasswd();
    const found = read(account);
    expect(found).toMatchObject({ version: version(account) });
    expect(version(account)).toBe(version(account));
  });

  test.each<[string, (path: string) => void]>([
    ['a byte more', (path) => appendFileSync(path, 'x')],
    ['another byte of the same size', (path) => writeFileSync(path, 'Secret\n')],
    ['another mode', (path) => chmodSync(path, 0o400)],
    ['another time', (path) => utimesSync(path, 1, 1)],
    [
      'another file of the same content, size and time',
      (path) => {
        const { atime, mtime } = lstatSync(path);
        writeFileSync(`${path}.new`, readFileSync(path), { mode: 0o600 });
        utimesSync(`${path}.new`, atime, mtime);
        renameSync(`${path}.new`, path);
      },
    ],
  ])('is another one after %s', (_, change) => {
    const { account, path } = withPasswd();
    const before = version(account);
    change(path);
    expect(typeof before).toBe('string');
    expect(version(account)).not.toBe(before);
  });

  test('of a file that was changed just now equals none, but is of the same state', () => {
    const { account, path } = withPasswd();
    writeFileSync(path, 'Secret\n');
    const found = read(account) as { version: FileVersion };
    expect(found.version).not.toBe(version(account));
    expect(isSameState(found.version, version(account) as FileVersion)).toBe(true);
    age(path);
    expect(isSameState(found.version, version(account) as FileVersion)).toBe(false);
    expect(isSameState(undefined, undefined)).toBe(true);
    expect(isSameState(undefined, found.version)).toBe(false);
  });
});

describe('against a program that changes things all the time', () => {
  /** Runs a JavaScript program in `directory` until the test ends; resolves when it runs. */
  async function meanwhile(directory: string, source: string): Promise<void> {
    const body = `const fs = require('node:fs'); ${source}; console.log('runs'); for (;;) round();`;
    const child = spawn(process.execPath, ['-e', body], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await new Promise((resolve) => child.stdout.once('data', resolve));
  }

  test('a growing file is read as it was at one moment', async () => {
    const { account, path } = withPasswd('');
    await meanwhile(
      join(account.home, '.sr'),
      `let n = 0; const round = () => {
         if (n === 5000) { fs.truncateSync('passwd'); n = 0; }
         fs.appendFileSync('passwd', String(n++).padStart(9, '0') + '\\n');
       }`,
    );
    let whole = 0;
    for (let at = 0; at < 2000; at += 1) {
      const found = read(account) as { content: string } | Trouble;
      if ('type' in found) {
        expect(found.kind).toBe('busy');
        continue;
      }
      // The kernel may show a write(2) that crosses a page in two parts: the last line counts only with its newline.
      const lines = found.content.split('\n').slice(0, -1);
      if (lines.length > 0) expect(lines.at(-1)).toBe(String(lines.length - 1).padStart(9, '0'));
      whole += 1;
    }
    expect(whole).toBeGreaterThan(0);
    expect(lstatSync(path).isFile()).toBe(true);
  });

  test('a file that an editor replaces all the time is never refused', async () => {
    const { account } = withPasswd('old\n');
    await meanwhile(
      join(account.home, '.sr'),
      `const round = () => {
         fs.writeFileSync('next', 'new\\n', { mode: 0o600 }); fs.renameSync('next', 'passwd');
       }`,
    );
    for (let at = 0; at < 5000; at += 1) {
      const found = read(account) as { content: string };
      if (found.content !== 'new\n') expect(found).toMatchObject({ content: 'old\n' });
    }
  });

  test('a file swapped for links to a foreign one is never read through or written through', async () => {
    const { account } = withPasswd('mine\n');
    const outside = join(temporaryDirectory(), 'foreign');
    writeFileSync(outside, 'foreign\n', { mode: 0o600 });
    await meanwhile(
      join(account.home, '.sr'),
      `const to = ${JSON.stringify(outside)}; let n = 0; const round = () => {
         const name = 'next'; fs.rmSync(name, { force: true });
         n += 1;
         if (n % 2 === 0) fs.symlinkSync(to, name); else fs.writeFileSync(name, 'mine\\n', { mode: 0o600 });
         fs.renameSync(name, n % 4 < 2 ? 'passwd' : 'usrloc');
       }`,
    );
    const seen = { mine: 0, refused: 0 };
    inDirectory(account, (directory) => {
      for (let at = 0; at < 5000; at += 1) {
        const found = readFile(directory, 'passwd', RULES);
        if (found !== undefined && 'content' in found) {
          expect(found.content).toBe('mine\n');
          seen.mine += 1;
        } else {
          seen.refused += 1;
        }
        appendLines(directory, 'usrloc', 'line\n', { sync: false, rules: RULES });
        if (at % 10 === 0) replaceFile(directory, 'usrloc', 'new\n', { mode: 0o600, sync: false });
      }
    });
    expect(readFileSync(outside, 'utf8')).toBe('foreign\n');
    expect(seen.mine).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  });

  test('a .sr swapped for a link to a foreign directory is never used', async () => {
    const { account } = withPasswd('mine\n');
    const outside = temporaryDirectory();
    writeFileSync(join(outside, 'passwd'), 'foreign\n', { mode: 0o600 });
    await meanwhile(
      account.home,
      `fs.symlinkSync(${JSON.stringify(outside)}, 'link');
       const round = () => {
         fs.renameSync('.sr', 'real'); fs.renameSync('link', '.sr');
         fs.renameSync('.sr', 'link'); fs.renameSync('real', '.sr');
       }`,
    );
    const seen = { mine: 0, refused: 0 };
    for (let at = 0; at < 5000; at += 1) {
      asUser(identityOf(account), () => {
        const directory = openUserDirectory(account, { strictModes: true, create: false });
        if (directory.type === 'trouble') {
          seen.refused += 1;
          return;
        }
        const found = readFile(directory, 'passwd', RULES);
        expect(found).toMatchObject({ content: 'mine\n' });
        appendLines(directory, 'usrloc', 'line\n', { sync: false, rules: RULES });
        seen.mine += 1;
        closeUserDirectory(directory);
      });
    }
    expect(seen.mine).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
    expect(readFileSync(join(outside, 'passwd'), 'utf8')).toBe('foreign\n');
    expect(execFileSync('ls', ['-A', outside], { encoding: 'utf8' })).toBe('passwd\n');
  });
});

test('a process that has no descriptor left reports it as temporary', () => {
  const program = bundleProgram(`
    import { openSync, mkdirSync, closeSync } from 'node:fs';
    import { userInfo } from 'node:os';
    import { asUser } from 'unix/as-user.ts';
    import { openUserDirectory, closeUserDirectory } from 'unix/trusted-directory.ts';
    import { readFile } from 'unix/trusted-file.ts';
    import { findAccount } from 'unix/nss.ts';
    const { uid, gid } = userInfo();
    const account = { name: 'me', uid, gid, gecos: '', home: process.argv[2], shell: '' };
    const kinds = asUser({ uid, gid, groups: [] }, () => {
      const options = { strictModes: true, create: true };
      const directory = openUserDirectory(account, options);
      const held = [];
      try { for (;;) held.push(openSync('/', 'r')); } catch {}
      const rules = { owners: 'user', private: true, maxBytes: 100 };
      return [readFile(directory, 'passwd', rules), openUserDirectory(account, options)];
    });
    let nss = 'answered';
    try { findAccount('no-such-user-here'); } catch (error) { nss = error.name; }
    console.log(JSON.stringify([...kinds.map((found) => [found.kind, found.why]), nss]));
  `);
  const { home } = temporaryAccount();
  const command = ['sh', ['-c', 'ulimit -n 64 && exec "$@"', 'sh', process.execPath, program, home]] as const;
  const output = execFileSync(command[0], command[1], { encoding: 'utf8' });
  expect(JSON.parse(output)).toEqual([
    ['temporary', 'too many open files'],
    ['temporary', 'too many open files'],
    'NssError',
  ]);
});

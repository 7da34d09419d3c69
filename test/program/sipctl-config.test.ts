// sipctl config: a user's settings shown, changed, edited and checked (DESIGN §2, §3, §6).

import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type IPty, spawn } from '@lydell/node-pty';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../host/run.ts';
import { canPlayUsers, isRoot, ToolHost, type User } from './tool-host.ts';

describe.skipIf(!canPlayUsers)('sipctl config (needs root or libnss_wrapper)', () => {
  const host = new ToolHost();
  afterAll(() => host.remove());
  beforeEach(() => host.clean());
  const config = (as: User | 'root', ...words: string[]) => host.run(as, 'sipctl', ['config', ...words]);
  const path = join(host.home('jan'), '.sr/config');

  test('set, get, unset: the file keeps every other byte', () => {
    const before = '# mine\n\nNoSuchKeyword 1\nMatch all\n  MaxContacts 3\n';
    host.writeFile('jan', 'config', before);
    expect(config('jan', 'set', 'maxcontacts', '4')).toMatchObject({ status: 0, stdout: '' });
    expect(host.file('jan', 'config')).toBe(
      '# mine\n\nNoSuchKeyword 1\nMaxContacts 4\nMatch all\n  MaxContacts 3\n',
    );
    expect(config('jan', 'get', 'MaxContacts').stdout).toBe('3\n');
    expect(config('jan', 'unset', 'MAXCONTACTS').status).toBe(0);
    expect(host.file('jan', 'config')).toBe(before);
    expect(config('jan', 'unset', 'nosuchkeyword').status).toBe(0);
    expect(host.file('jan', 'config')).not.toContain('NoSuch');
    expect(config('jan', 'unset', 'nosuchkeyword').status).toBe(65);
  });

  test('set makes ~/.sr/config, 0600', () => {
    expect(JSON.parse(config('jan', 'set', 'MaxContacts', '4', '--json').stdout)).toEqual({
      path,
      changed: true,
    });
    expect(host.file('jan', 'config')).toBe('MaxContacts 4\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['ForwardAlwys', 'x', 'ForwardAlwys: unknown keyword (did you mean ForwardAlways?)'],
    ['MaxContacts', 'many', 'MaxContacts: expected a whole number from 1 to 1000'],
    ['Realm', 'x', 'Realm: expected in the configuration of the server only'],
    ['DisplayName', 'a\nMatch all', 'DisplayName: expected no control characters'],
  ])('set %s %j is refused and writes nothing', (keyword, value, why) => {
    expect(config('jan', 'set', keyword, value)).toEqual({
      status: 65,
      stdout: '',
      stderr: `sipctl: ${why}\n`,
    });
    expect(host.file('jan', 'config')).toBeUndefined();
  });

  test('set warns of what does nothing', () => {
    expect(config('jan', 'set', 'DisplayName', 'Jan Č').stderr).toBe('');
    expect(host.file('jan', 'config')).toBe('DisplayName Jan Č\n');
    expect(config('jan', 'get', 'DisplayName').stdout).toBe('Jan Č\n');
    expect(config('jan', 'set', 'MaxContacts', '400').stderr).toBe(
      "sipctl: warning: MaxContacts: the server's 10 is the most\n",
    );
    expect(config('jan', 'get', 'MaxContacts').stdout).toBe('10\n');
  });

  test('Attr has one line a name', () => {
    for (const value of ['lang cs', 'room 4', 'lang de']) config('jan', 'set', 'Attr', value);
    expect(host.file('jan', 'config')).toBe('Attr lang de\nAttr room 4\n');
    config('jan', 'unset', 'Attr', 'lang');
    expect(config('jan', 'get', 'Attr').stdout).toBe('room 4\n');
    expect(config('jan', 'unset', 'MaxContacts', 'lang').status).toBe(64);
  });

  test('show has what is in effect, as lines of a file or JSON', () => {
    host.writeFile('jan', 'config', 'MaxContacts 4\nAttr lang cs\n');
    const shown = config('jan', 'show').stdout;
    expect(shown).toContain('MaxContacts 4\n');
    expect(shown).toContain('Attr lang cs\n');
    expect(shown).toContain('DoNotDisturb no\n');
    expect(shown).not.toContain('Realm');
    expect(JSON.parse(config('jan', 'show', '--json').stdout)).toMatchObject({
      MaxContacts: 4,
      Attr: [{ name: 'lang', value: 'cs' }],
      ForwardAlways: null,
    });
  });

  test('check finds all faults of the user’s file, or of one that is named', () => {
    expect(config('jan', 'check')).toEqual({ status: 0, stdout: '', stderr: '' });
    host.writeFile('jan', 'config', 'MaxContact 4\nAccounting yes\n');
    expect(config('jan', 'check')).toEqual({
      status: 78,
      stdout: '',
      stderr: `sipctl: ${path}:1: MaxContact: unknown keyword (did you mean MaxContacts?)\n`,
    });
    const file = host.write('draft', 'Realm r\nMinUid x\n');
    expect(config('jan', 'check', file).stderr).toMatch(
      /draft:1: Realm: expected in the configuration of the server only/,
    );
    expect(config('jan', 'check', '--server', file).stderr).toBe(
      `sipctl: ${file}:2: MinUid: expected a whole number from 0 to 4294967294\n`,
    );
    expect(JSON.parse(config('jan', 'check', '--server', file, '--json').stdout)).toMatchObject({
      ok: false,
      faults: [{ path: file, line: 2 }],
    });
    expect(config('jan', 'check', '/nonexistent')).toMatchObject({
      status: 66,
      stderr: expect.stringMatching(/no such file/),
    });
  });

  describe('edit', () => {
    /** Runs it with a shell script as the editor; `$1` is the copy. */
    const edit = (as: User | 'root', script: string, ...words: string[]) => {
      const editor = host.write('editor', `#!/bin/sh\n${script}\n`);
      chmodSync(editor, 0o755);
      const argv = host.command(as, 'sipctl', ['config', 'edit', ...words]);
      return run(argv, { env: { ...host.environment(), EDITOR: `sh ${editor}` } });
    };

    test('installs what the editor leaves, its last line ended', () => {
      host.writeFile('jan', 'config', 'MaxContacts 4\n');
      expect(edit('jan', 'test "$(cat "$1")" = "MaxContacts 4" && printf "MaxContacts 5" > "$1"')).toEqual({
        status: 0,
        stdout: '',
        stderr: '',
      });
      expect(host.file('jan', 'config')).toBe('MaxContacts 5\n');
    });

    test('installs nothing that has a fault, nothing of an editor that fails, and nothing unchanged', () => {
      host.writeFile('jan', 'config', 'MaxContacts 4\n');
      expect(edit('jan', 'echo MaxContact 5 > "$1"')).toEqual({
        status: 65,
        stdout: '',
        stderr:
          `sipctl: ${path}:1: MaxContact: unknown keyword (did you mean MaxContacts?)\n` +
          `sipctl: ${path} is unchanged\n`,
      });
      expect(edit('jan', 'echo MaxContacts 5 > "$1"; exit 3')).toMatchObject({
        status: 69,
        stderr: expect.stringMatching(/it ended with 3; nothing changed/),
      });
      expect(edit('jan', ':')).toEqual({ status: 0, stdout: `${path} is unchanged\n`, stderr: '' });
      expect(host.file('jan', 'config')).toBe('MaxContacts 4\n');
    });

    test('does not overwrite what somebody else wrote meanwhile, and keeps the edit', () => {
      host.writeFile('jan', 'config', 'MaxContacts 4\n');
      const done = edit('jan', `echo MaxContacts 6 > "${path}"; echo MaxContacts 5 > "$1"`);
      expect(done.status).toBe(75);
      const copy = /was changed meanwhile; your edit is in (\S+)$/m.exec(done.stderr)?.[1] ?? '';
      expect(run(['cat', copy]).stdout).toBe('MaxContacts 5\n');
      expect(host.file('jan', 'config')).toBe('MaxContacts 6\n');
      run(['rm', '-r', join(copy, '..')]);
    });

    test('asks on a terminal what to do with a fault: edit again, exit, or install', async () => {
      for (const [keys, code, content] of [
        ['e', 0, 'MaxContacts 5\n'],
        ['x', 65, 'MaxContacts 4\n'],
        ['q', 0, 'MaxContact 5\n'],
      ] as const) {
        host.writeFile('jan', 'config', 'MaxContacts 4\n');
        const editor = host.write(
          'editor',
          'grep -q "MaxContact " "$1" && v=MaxContacts || v=MaxContact\necho $v 5 > "$1"\n',
        );
        const [program, ...rest] = host.command('jan', 'sipctl', ['config', 'edit']) as [string, ...string[]];
        const env = { ...host.environment(), VISUAL: `sh ${editor}`, EDITOR: 'false' };
        const pty = spawn(program, rest, { env, cols: 120 });
        expect(await answer(pty, /What now\?/, `${keys}\r`), keys).toBe(code);
        expect(host.file('jan', 'config'), keys).toBe(content);
      }
    });
  });

  describe.skipIf(!isRoot)('run by root (needs root)', () => {
    test('changes a user’s settings as that user, with --user', () => {
      expect(config('root', 'set', 'MaxContacts', '4', '--user', 'eva').status).toBe(0);
      expect(host.file('eva', 'config')).toBe('MaxContacts 4\n');
      expect(statSync(join(host.home('eva'), '.sr/config')).uid).toBe(statSync(host.home('eva')).uid);
      expect(config('jan', 'get', 'MaxContacts', '--user', 'eva').status).toBe(77);
      expect(config('root', 'get', 'MaxContacts', '--user', 'zoe').status).toBe(67);
    });

    test('shows the server’s defaults for users', () => {
      writeFileSync(host.etc('config'), 'MaxContacts 7\nDoNotDisturb yes\n');
      expect(config('jan', 'get', 'MaxContacts').stdout).toBe('7\n');
      expect(config('jan', 'get', 'DoNotDisturb').stdout).toBe('yes\n');
    });

    test('checks /etc/sr/config as the server’s', () => {
      writeFileSync(host.etc('config'), 'Listen udp:*:5060\nLissten x\n');
      expect(config('root', 'check', '/etc/sr/config')).toEqual({
        status: 78,
        stdout: '',
        stderr: 'sipctl: /etc/sr/config:2: Lissten: unknown keyword (did you mean Listen?)\n',
      });
    });
  });
});

/** Types an answer when the question is asked; resolves to the exit code. */
function answer(pty: IPty, question: RegExp, keys: string): Promise<number> {
  let shown = '';
  let typed = false;
  pty.onData((data) => {
    shown += data;
    if (typed || !question.test(shown)) return;
    typed = true;
    pty.write(keys);
  });
  return new Promise((done) => pty.onExit(({ exitCode }) => done(exitCode)));
}

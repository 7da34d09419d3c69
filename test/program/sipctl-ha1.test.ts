// sipctl ha1: hashes of a password from standard input or a terminal, and of nothing else.

import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { spawn } from '@lydell/node-pty';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { canPlayUsers, ToolHost } from './tool-host.ts';

const hash = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex');

describe.skipIf(!canPlayUsers)('sipctl ha1 (needs root or libnss_wrapper)', () => {
  const host = new ToolHost();
  afterAll(() => host.remove());
  beforeEach(() => host.clean());
  const ha1 = (words: readonly string[], input: string) =>
    host.run('jan', 'sipctl', ['ha1', ...words], input);

  test('prints HA1 and HA1b of every algorithm, for any name and realm (RFC 7616 §3.4.2)', () => {
    const password = 'se:cr"et č';
    const [a1, a1b] = [`eva:r x:${password}`, `eva@r x:r x:${password}`];
    const expected = {
      ha1: hash('md5', a1),
      ha1b: hash('md5', a1b),
      ha1_sha256: hash('sha256', a1),
      ha1b_sha256: hash('sha256', a1b),
      ha1_sha512_256: hash('sha512-256', a1),
      ha1b_sha512_256: hash('sha512-256', a1b),
    };
    const words = ['eva', '--realm', 'r x'];
    expect(JSON.parse(ha1([...words, '--json'], `${password}\n`).stdout)).toEqual({
      user: 'eva',
      realm: 'r x',
      ...expected,
    });
    expect(ha1(words, password)).toEqual({
      status: 0,
      stdout: Object.entries(expected)
        .map(([name, value]) => `${name}: ${value}\n`)
        .join(''),
      stderr: '',
    });
  });

  test('is what sippasswd stores, for the invoking account and the host’s realm', () => {
    host.sippasswd('jan', ['--stdin'], 'secret\n');
    const stored = host.file('jan', 'passwd')?.split(':').slice(6, 12);
    const { user, realm, ...hashes } = JSON.parse(ha1(['--json'], 'secret\n').stdout);
    expect([user, realm]).toEqual(['jan', hostname().toLowerCase()]);
    expect(Object.values(hashes)).toEqual(stored);
  });

  test.each([
    ['', 'the password is empty'],
    ['a\tb\n', 'the password has control characters'],
    ['one\ntwo\n', 'the password has control characters'],
  ])('refuses %j', (input, why) => {
    expect(ha1([], input)).toEqual({ status: 65, stdout: '', stderr: `sipctl: ${why}\n` });
  });

  test('asks without echo on a terminal', async () => {
    const [program, ...rest] = host.command('jan', 'sipctl', ['ha1', '--realm', 'r']) as [
      string,
      ...string[],
    ];
    const pty = spawn(program, rest, { env: host.environment(), cols: 120 });
    let shown = '';
    let typed = false;
    pty.onData((data) => {
      shown += data;
      if (!typed && shown.includes('SIP password of jan:')) {
        typed = true;
        pty.write('sesame\r');
      }
    });
    const code = await new Promise((done) => pty.onExit(({ exitCode }) => done(exitCode)));
    expect(shown).toContain(`ha1: ${hash('md5', 'jan:r:sesame')}`);
    expect(shown).not.toContain('sesame');
    expect(code).toBe(0);
  });
});

// sippasswd on a terminal: prompts without echo, Ctrl-C, the progress bar.

import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { canPlayUsers, isRoot, ToolHost } from './tool-host.ts';

describe.skipIf(!canPlayUsers)('sippasswd on a terminal (needs root or libnss_wrapper)', () => {
  const host = new ToolHost();
  afterAll(() => host.remove());
  beforeEach(() => host.clean());

  test('asks twice without echo, then for the old one too', async () => {
    const first = host.terminal('jan', []);
    await first.shows(/New SIP password of jan:/);
    first.type('sesame-1\r');
    await first.shows(/Retype the SIP password of jan:/);
    first.type('sesame-1\r');
    await first.shows(/SIP password of jan for realm \S+ set/);
    expect(await first.end()).toBe(0);
    expect(first.text()).not.toContain('sesame');

    const second = host.terminal('jan', []);
    await second.shows(/Old SIP password of jan:/);
    second.type('sesame-1\r');
    await second.shows(/New SIP password of jan:/);
    second.type('sesame-2\r');
    await second.shows(/Retype the SIP password of jan:/);
    second.type('sesame-2\r');
    expect(await second.end()).toBe(0);
    expect(host.sippasswd('jan', ['--verify', '--stdin'], 'sesame-2\n').status).toBe(0);
  });

  test('changes nothing when the passwords differ', async () => {
    const session = host.terminal('jan', []);
    await session.shows(/New SIP password/);
    session.type('one\r');
    await session.shows(/Retype/);
    session.type('two\r');
    await session.shows(/sippasswd: the passwords do not match; nothing changed/);
    expect(await session.end()).toBe(3);
    expect(host.file('jan', 'passwd')).toBeUndefined();
  });

  test.each([
    ['Ctrl-C', '\x03'],
    ['Ctrl-D', '\x04'],
  ])('%s changes nothing, exits with 130 and leaves a terminal that echoes', async (_, key) => {
    const session = host.terminal('jan', [], 'stty -a');
    await session.shows(/New SIP password of jan:/);
    session.type(`${key === '\x03' ? 'half' : ''}${key}`);
    await session.shows(/sippasswd: interrupted; nothing changed/);
    expect(await session.shows(/ echo /)).not.toContain('-echo ');
    expect(session.text()).toMatch(/ icanon /);
    expect(await session.end()).toBe(130);
    expect(host.file('jan', 'passwd')).toBeUndefined();
  });

  test('wrong old password', async () => {
    host.sippasswd('jan', ['--stdin'], 'right\n');
    const session = host.terminal('jan', []);
    await session.shows(/Old SIP password of jan:/);
    session.type('wrong\r');
    await session.shows(/sippasswd: wrong password; nothing changed/);
    expect(await session.end()).toBe(1);
  });

  test.skipIf(!isRoot)(
    'shows a progress bar for many passwords, on a terminal only (needs root)',
    async () => {
      const session = host.terminal('root', [
        '--import',
        host.write('users', 'version:1\njan@x clrtxt:a ;\ntom@x clrtxt:b ;\n'),
      ]);
      await session.shows(/\[#{15} {15}\] 1\/2/);
      await session.shows(/2 of 2 SIP passwords set/);
      expect(await session.end()).toBe(0);
      expect(host.sippasswd('root', ['--batch'], 'jan:a\ntom:b\n').stderr).toBe('');
    },
  );
});

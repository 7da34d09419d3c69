// sipacct reads ~/.sr/acct: reports, lists, and what is wrong with the file (DESIGN §2).

import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { canPlayUsers, isRoot, ToolHost } from './tool-host.ts';

const call = (start: string, dir: string, status: string, duration: number) =>
  `${JSON.stringify({ id: start, start, dir, from: 'sip:a@x', to: 'sip:b@x', status, duration })}\n`;

const acct = [
  call('2026-10-31T23:59:59.000Z', 'in', 'answered', 10.5),
  call('2026-11-01T00:00:00.000Z', 'in', 'answered', 0.25),
  call('2026-11-02T08:00:00.000Z', 'out', 'busy', 0),
  'not a call\n',
  call('2026-11-03T08:00:00.000Z', 'in', 'answered', 1),
  '{"start":"2026-11-04T08:00:00.000Z","torn',
].join('');

describe.skipIf(!canPlayUsers)('sipacct (needs root or libnss_wrapper)', () => {
  const host = new ToolHost();
  afterAll(() => host.remove());
  beforeEach(() => host.clean());
  const fault = () => `sipacct: ${join(host.home('jan'), '.sr/acct')}:4: expected a call as a JSON object\n`;

  test('reports calls by direction and status, in plain text into a pipe', () => {
    host.writeFile('jan', 'acct', acct);
    expect(host.run('jan', 'sipacct', ['report'])).toEqual({
      status: 0,
      stdout: 'DIR  STATUS    CALLS  SECONDS\nin   answered      3    11.75\nout  busy          1        0\n',
      stderr: fault(),
    });
  });

  test('of one month', () => {
    host.writeFile('jan', 'acct', acct);
    expect(JSON.parse(host.run('jan', 'sipacct', ['report', '--month', '2026-11', '--json']).stdout)).toEqual(
      [
        { dir: 'in', status: 'answered', calls: 2, seconds: 1.25 },
        { dir: 'out', status: 'busy', calls: 1, seconds: 0 },
      ],
    );
    const now = `${new Date().toISOString().slice(0, 7)}-01T00:00:00.000Z`;
    host.writeFile(
      'jan',
      'acct',
      call('1999-01-01T00:00:00.000Z', 'in', 'missed', 0) + call(now, 'in', 'busy', 0),
    );
    expect(JSON.parse(host.run('jan', 'sipacct', ['report', '--month', '--json']).stdout)).toEqual([
      { dir: 'in', status: 'busy', calls: 1, seconds: 0 },
    ]);
    expect(host.run('jan', 'sipacct', ['report', '--month', '2026-13'])).toEqual({
      status: 64,
      stdout: '',
      stderr: 'sipacct: --month: expected YYYY-MM\n',
    });
  });

  test('lists calls; no file is no calls', () => {
    expect(host.run('jan', 'sipacct', ['list', '--json'])).toEqual({ status: 0, stdout: '[]\n', stderr: '' });
    expect(host.run('jan', 'sipacct', ['report']).stdout).toBe('DIR  STATUS  CALLS  SECONDS\n');
    host.writeFile('jan', 'acct', acct);
    const { stdout } = host.run('jan', 'sipacct', ['list']);
    expect(stdout.split('\n')).toHaveLength(6);
    expect(stdout).toContain('2026-11-02T08:00:00.000Z  out  sip:a@x  sip:b@x  busy            0\n');
  });

  test("shows one's own only, by root anyone's", () => {
    host.writeFile('jan', 'acct', acct);
    expect(host.run('jan', 'sipacct', ['list', '--user', 'eva'])).toEqual({
      status: 77,
      stdout: '',
      stderr: 'sipacct: only root may see the calls of eva\n',
    });
    expect(host.run('jan', 'sipacct', ['list', '--user', 'nobody-at-all']).status).toBe(67);
    if (isRoot)
      expect(host.run('root', 'sipacct', ['list', '--user', 'jan']).stdout.split('\n')).toHaveLength(6);
  });

  test('refuses a command line that does not parse with EX_USAGE', () => {
    expect(host.run('jan', 'sipacct', ['frob'])).toMatchObject({
      status: 64,
      stderr: expect.stringMatching(/^sipacct: unknown command 'frob'/),
    });
    expect(host.run('jan', 'sipacct', []).status).toBe(64);
  });
});

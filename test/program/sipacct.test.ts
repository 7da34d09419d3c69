// sipacct as a user runs it: reports, lists, exports, and what is wrong with the file (DESIGN §2, §6).

import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { displayWidth } from '../../src/accounting/display-width.ts';
import { type CallRecord, formatCallRecord } from '../../src/home/acct.ts';
import { call } from '../accounting/call.ts';
import { Background } from '../host/background.ts';
import { hasProgram } from '../host/required.ts';
import { run } from '../host/run.ts';
import { canPlayUsers, isRoot, type SessionOptions, ToolHost } from './tool-host.ts';

const line = (...what: Parameters<typeof call>) => `${formatCallRecord(call(...what))}\n`;

const acct = [
  line('2026-10-31T23:59:59.000Z', { durationMs: 10_500 }),
  line('2026-11-01T00:00:00.000Z', { durationMs: 250, from: 'sip:tom@example.net' }),
  line('2026-11-02T08:00:00.000Z', {
    status: 'busy',
    direction: 'out',
    from: 'sip:jan@x',
    to: 'sip:tom@example.net',
  }),
  'not a call\n',
  line('2026-11-03T08:00:00.000Z', { status: 'missed' }),
  formatCallRecord(call('2026-11-04T08:00:00.000Z')).slice(0, 60),
].join('');

describe.skipIf(!canPlayUsers)('sipacct (needs root or libnss_wrapper)', () => {
  const host = new ToolHost();
  afterAll(() => host.remove());
  beforeEach(() => host.clean());
  /** Writes a file of the host's /var/log/sr, which is root's. */
  const writeLog = (name: string, content: string | Buffer) => {
    mkdirSync(host.log('sr'), { recursive: true });
    writeFileSync(host.log(`sr/${name}`), content, { mode: 0o600 });
  };
  const path = () => join(host.home('jan'), '.sr/acct');
  const faults = () =>
    `sipacct: ${path()}:4: expected a call as a JSON object\n` +
    `sipacct: ${path()}:6: expected the end of the line, it was torn\n` +
    'sipacct: warning: 2 lines are no calls, not counted\n';
  /** Runs as somebody in UTC. */
  const sipacct = (as: 'jan' | 'root', ...words: string[]) =>
    run(host.command(as, 'sipacct', words), { env: { ...host.environment(), TZ: 'UTC' } });

  test('reports calls by month, in plain text into a pipe', () => {
    host.writeFile('jan', 'acct', acct);
    expect(sipacct('jan', 'report')).toEqual({
      status: 0,
      stdout: [
        'MONTH    CALLS  ANSWERED  MISSED  MINUTES  AVERAGE  LONGEST\n',
        '2026-10      1         1       0      0.2     0:11     0:11\n',
        '2026-11      3         1       1      0.0     0:00     0:00\n',
        'Total        4         2       1      0.2     0:05     0:11\n',
      ].join(''),
      stderr: faults(),
    });
  });

  test('one month is by day, one day by hour, and the local zone decides', () => {
    host.writeFile('jan', 'acct', acct);
    const { stdout } = sipacct('jan', 'report', '--month', '2026-11', '--format', 'csv');
    expect(stdout.split('\n').map((row) => row.split(',', 2).join())).toEqual([
      'day,calls',
      '2026-11-01,1',
      '2026-11-02,1',
      '2026-11-03,1',
      '',
    ]);
    const berlin = run(
      host.command('jan', 'sipacct', ['report', '--month', '2026-11', '--format', 'jsonl']),
      {
        env: { ...host.environment(), TZ: 'Europe/Berlin' },
      },
    );
    expect(JSON.parse(berlin.stdout.split('\n')[0] as string)).toMatchObject({ day: '2026-11-01', calls: 2 });
    const hours = JSON.parse(sipacct('jan', 'report', '--day', '2026-11-02', '--json').stdout);
    expect(hours.by).toBe('hour');
    expect(hours.rows).toHaveLength(24);
    expect(hours.rows[8]).toMatchObject({ hour: '08', calls: 1, busy: 1 });
  });

  test('--month alone is this month', () => {
    const now = `${new Date().toISOString().slice(0, 7)}-01T00:00:00.000Z`;
    host.writeFile('jan', 'acct', line('1999-01-01T00:00:00Z') + line(now));
    expect(JSON.parse(sipacct('jan', 'report', '--month', '--json').stdout).total.calls).toBe(1);
    expect(sipacct('jan', 'report', '--month', '2026-13')).toEqual({
      status: 64,
      stdout: '',
      stderr: 'sipacct: --month: expected YYYY-MM\n',
    });
  });

  test('--since and --until', () => {
    host.writeFile('jan', 'acct', acct);
    const starts = (...words: string[]) =>
      JSON.parse(sipacct('jan', 'list', '--json', ...words).stdout).map(({ start }: { start: string }) =>
        start.slice(0, 10),
      );
    expect(starts('--since', '2026-11-01', '--until', '2026-11-02')).toEqual(['2026-11-01', '2026-11-02']);
    expect(starts('--until', '2026-11-02T08:00')).toEqual(['2026-10-31', '2026-11-01']);
    expect(starts('--since', '2026-11-02T08:00')).toEqual(['2026-11-02', '2026-11-03']);
    expect(sipacct('jan', 'list', '--since', 'never').status).toBe(64);
    host.writeFile(
      'jan',
      'acct',
      [-200, -2].map((hours) => line(new Date(Date.now() + hours * 3_600_000).toISOString())).join(''),
    );
    expect(starts('--since', '-7d')).toHaveLength(1);
    expect(starts('--since', '-1h')).toHaveLength(0);
  });

  test.skipIf(!hasProgram('awk'))('an independent awk gets the same totals', () => {
    const statuses = ['answered', 'answered', 'missed', 'busy', 'cancelled', 'failed'] as const;
    const calls = Array.from({ length: 3000 }, (_, index) =>
      line(new Date(Date.parse('2026-09-15T00:00:00Z') + index * 1_734_567).toISOString(), {
        status: statuses[(index * 7) % 6] as (typeof statuses)[number],
        durationMs: (index * 7) % 6 < 2 ? (index * 7919) % 600_000 : 0,
        direction: index % 3 === 0 ? 'out' : 'in',
        from: `sip:${index % 17}@x`,
      }),
    );
    host.writeFile('jan', 'acct', calls.join(''));
    const script = `{
      match($0, /"start":"....-../); month = substr($0, RSTART + 9, 7)
      match($0, /"duration":[0-9.]+/); seconds = substr($0, RSTART + 11, RLENGTH - 11)
      match($0, /"status":"[a-z]+/); status = substr($0, RSTART + 10, RLENGTH - 10)
      calls[month]++; sum[month] += seconds; count[month, status]++
      if (seconds + 0 > longest[month] + 0) longest[month] = seconds
    }
    END { for (m in calls) printf "%s,%d,%d,%d,%d,%d,%d,%.3f,%.3f\\n", m, calls[m], count[m, "answered"],
      count[m, "missed"], count[m, "busy"], count[m, "cancelled"], count[m, "failed"], sum[m], longest[m] }`;
    const counted = run(['awk', script, path()]).stdout.trim().split('\n').sort();
    const reported = sipacct('jan', 'report', '--format', 'csv').stdout.trim().split('\n').slice(1);
    const cells = reported.map((row) => row.split(','));
    expect(
      cells.map((row) => [...row.slice(0, 7), Number(row[7]).toFixed(3), Number(row[10]).toFixed(3)].join()),
    ).toEqual(counted);
    expect(cells).toHaveLength(3);
  });

  test('lists calls, and those that were missed; no file is no calls', () => {
    expect(sipacct('jan', 'list', '--json')).toEqual({ status: 0, stdout: '[]\n', stderr: '' });
    expect(sipacct('jan', 'list').stdout).toBe('START                DIR  STATUS     DURATION  PEER\n');
    host.writeFile('jan', 'acct', acct);
    const { stdout } = sipacct('jan', 'list');
    expect(stdout.split('\n')).toHaveLength(6);
    expect(stdout).toContain('\n2026-11-02 08:00:00  out  busy           0:00  tom@example.net\n');
    expect(sipacct('jan', 'missed').stdout.split('\n')[1]).toBe(
      '2026-11-03 08:00:00  in   missed         0:00  eva@example.net',
    );
    const last = sipacct('jan', 'list', '-n', '2').stdout.split('\n');
    expect(last).toHaveLength(4);
    expect(last[1]).toContain('2026-11-02');
    expect(sipacct('jan', 'list', '-n', '0').stdout.split('\n')).toHaveLength(2);
    expect(sipacct('jan', 'list', '-n', '-1').status).toBe(64);
  });

  test('exports all that is known: CSV, an array, or the lines as they are', () => {
    host.writeFile('jan', 'acct', acct);
    const lines = acct.split('\n').filter((one) => one.endsWith('}'));
    expect(sipacct('jan', 'export', '--format', 'jsonl').stdout).toBe(`${lines.join('\n')}\n`);
    expect(JSON.parse(sipacct('jan', 'export', '--json').stdout)).toEqual(
      lines.map((one) => JSON.parse(one)),
    );
    const csv = sipacct('jan', 'export').stdout.split('\n');
    expect(csv[0]).toBe(
      'id,start,answer,end,duration,dir,from,to,callid,status,code,reason,ended_by,caller,callee,forwarded_by,others,peer_ip,ua',
    );
    expect(csv).toHaveLength(6);
  });

  test('an HTML page and an SVG chart', () => {
    host.writeFile('jan', 'acct', acct);
    const page = sipacct('jan', 'report', '--month', '2026-11', '--format', 'html').stdout;
    expect(page).toMatch(/^<!DOCTYPE html>[\s\S]*<\/html>\n$/);
    expect(page).toContain('<h1>Calls of jan</h1>\n<p>2026-11-01 to 2026-11-30 (UTC)</p>');
    expect(page).toContain('<tfoot><tr><td>Total</td><td data-value="3">3</td>');
    const chart = sipacct('jan', 'report', '--by', 'peer', '--format', 'svg').stdout;
    expect(chart).toMatch(/^<\?xml[\s\S]*<svg [\s\S]*eva@example\.net[\s\S]*<\/svg>\n$/);
  });

  /** All that is shown to jan on a terminal, escapes included. */
  const shownOn = async (options: SessionOptions, ...words: string[]) => {
    const session = host.session('jan', 'sipacct', words, options);
    await session.end();
    return session.raw();
  };
  const plain = (shown: string) => shown.replace(/\x1b\[[0-9;]*[A-Za-z]/g, '');

  test.each([80, 120])(
    'on a terminal of %i columns: bars, colours, and no line that is wider',
    async (columns) => {
      const long = `sip:${'x'.repeat(150)}@example.net`;
      const peers = [long, long, 'sip:\u7530\u4e2d@example.net', 'sip:a@x'];
      host.writeFile('jan', 'acct', peers.map((from) => line('2026-11-01T00:00:00Z', { from })).join(''));
      for (const words of [
        ['report', '--by', 'peer'],
        ['report', '--by', 'hour'],
        ['list'],
        ['list', '-n', '1'],
      ]) {
        const shown = await shownOn({ columns }, ...words);
        expect(shown).toContain('\x1b[');
        if (words[0] === 'report') expect(shown).toContain('▇');
        const lines = plain(shown).split('\r\n');
        expect(lines.length).toBeGreaterThan(2);
        for (const one of lines) expect(displayWidth(one), one).toBeLessThanOrEqual(columns);
        const bare = await shownOn({ columns, env: { NO_COLOR: '1' } }, ...words);
        expect(bare).not.toMatch(/\x1b|▇|─/);
        expect(bare.replaceAll('\r', '')).toBe(sipacct('jan', ...words).stdout);
      }
    },
  );

  test('reading much shows a bar on a terminal, which is taken away again', async () => {
    host.writeFile('jan', 'acct', line('2026-11-01T00:00:00Z').repeat(80_000));
    const shown = await shownOn({ columns: 80 }, 'report');
    expect(shown).toMatch(/^\r\[ {30}\] 1\/100\r[\s\S]*\[#{30}\] 100\/100\r\x1b\[K\x1b\[2mMONTH/);
    expect(plain(shown)).toContain('2026-11  80000');
    expect(sipacct('jan', 'report').stderr).toBe('');
  });

  test('a file full of faults is named as far as anybody reads, and counted', () => {
    host.writeFile('jan', 'acct', 'x\n'.repeat(1000) + line('2026-11-01T00:00:00Z'));
    const { status, stderr, stdout } = sipacct('jan', 'list');
    expect(status).toBe(0);
    expect(stdout.split('\n')).toHaveLength(3);
    expect(stderr.split('\n')).toHaveLength(103);
    expect(stderr).toContain('sipacct: warning: 1000 lines are no calls, not counted\n');
  });

  test("shows one's own only, by root anyone's", () => {
    host.writeFile('jan', 'acct', acct);
    expect(sipacct('jan', 'list', '--user', 'eva')).toEqual({
      status: 77,
      stdout: '',
      stderr: 'sipacct: only root may see the calls of eva\n',
    });
    expect(sipacct('jan', 'list', '--user', 'nobody-at-all').status).toBe(67);
    expect(sipacct('jan', 'list', '--user', 'jan', '--all').status).toBe(64);
    if (isRoot) expect(sipacct('root', 'list', '--user', 'jan').stdout.split('\n')).toHaveLength(6);
  });

  test.skipIf(!isRoot)(
    "root's is the log of the host, with what was rotated away from it (needs root)",
    () => {
      const within = { direction: 'internal', caller: 'eva', from: 'sip:eva@x', to: 'sip:jan@x' } as const;
      writeLog('acct.2.gz', gzipSync(line('2026-09-01T00:00:00Z', within)));
      writeLog('acct.1', line('2026-10-01T00:00:00Z', within));
      writeLog('acct', line('2026-11-01T00:00:00Z'));
      expect(sipacct('root', 'report', '--by', 'user').stdout).toBe(
        [
          'USER   CALLS  ANSWERED  MISSED  MINUTES  AVERAGE  LONGEST\n',
          'jan        3         3       0      3.0     1:00     1:00\n',
          'eva        2         2       0      2.0     1:00     1:00\n',
          'Total      3         3       0      3.0     1:00     1:00\n',
        ].join(''),
      );
      expect(sipacct('root', 'list', '--all', '-n', '2').stdout.split('\n')[1]).toBe(
        '2026-10-01 00:00:00  internal  answered       1:00  eva@x -> jan@x',
      );
      expect(sipacct('jan', 'list', '--all')).toEqual({
        status: 77,
        stdout: '',
        stderr: 'sipacct: /var/log/sr/acct.2.gz: permission denied\n',
      });
    },
  );

  test('follows the file as it grows, and over its rotation', async () => {
    host.writeFile('jan', 'acct', acct.slice(0, acct.lastIndexOf('\n') + 1));
    const following = new Background(host.command('jan', 'sipacct', ['follow', '-n', '1']), {
      env: { ...host.environment(), TZ: 'UTC' },
    });
    onTestFinished(async () => void (await following.stop()));
    const first = 'START                DIR  STATUS     DURATION  PEER\n2026-11-03 08:00:00  in   missed ';
    await following.match(new RegExp(`^${first}`));
    appendFileSync(path(), `${line('2026-12-01T00:00:00Z')}x\n`);
    await following.match(/\n2026-12-01 00:00:00 {2}in {3}answered +1:00 {2}eva@example\.net\n/);
    await following.match(/sipacct: .*acct:7: expected a call as a JSON object\n/);
    renameSync(path(), `${path()}.1`);
    host.writeFile('jan', 'acct', line('2026-12-02T00:00:00Z'));
    await following.match(/\n2026-12-02 00:00:00 /);
    expect(following.output.split('\n')).toHaveLength(6);
  });

  test.skipIf(!isRoot)("compares users' copies with the log of the host (needs root)", () => {
    const within = { direction: 'internal', caller: 'eva', callee: 'jan', from: 'sip:eva@x' } as const;
    const [one, two, three] = ['2026-11-01', '2026-11-02', '2026-11-03'].map((day) =>
      call(`${day}T00:00:00Z`, within),
    );
    const copy = (of: typeof one, direction: 'in' | 'out', changes = {}) =>
      `${formatCallRecord({ ...(of as CallRecord), direction, ...changes })}\n`;
    writeLog('acct', [one, two, three].map((of) => `${formatCallRecord(of as CallRecord)}\n`).join(''));
    host.writeFile('jan', 'acct', copy(one, 'in') + copy(two, 'in') + copy(three, 'in'));
    host.writeFile('eva', 'acct', copy(one, 'out') + copy(two, 'out') + copy(three, 'out'));
    expect(sipacct('root', 'verify')).toEqual({
      status: 0,
      stdout:
        'User  Calls  Missing  Altered  Foreign\neva       3        0        0        0\njan       3        0        0        0\n',
      stderr: '',
    });
    host.writeFile(
      'jan',
      'acct',
      copy(one, 'in', { durationMs: 1 }) + copy(two, 'in') + line('2026-11-02T00:00:00Z'),
    );
    host.writeFile('tom', 'acct', copy(one, 'in'));
    const { status, stdout } = sipacct('root', 'verify', '--json');
    expect(status).toBe(65);
    const { users, differences } = JSON.parse(stdout);
    expect(users).toEqual([
      { user: 'eva', calls: 3, missing: 0, altered: 0, foreign: 0 },
      { user: 'jan', calls: 3, missing: 1, altered: 1, foreign: 1 },
      { user: 'tom', calls: 0, missing: 0, altered: 1, foreign: 0 },
    ]);
    expect(
      differences.map(({ user, line: number, text }: { user: string; line: number; text: string }) => [
        user,
        number,
        text,
      ]),
    ).toEqual([
      ['jan', 1, 'differs from the log in duration'],
      ['jan', 3, 'is not in the log'],
      ['jan', null, 'has no copy'],
      ['tom', 1, 'differs from the log in dir'],
    ]);
    expect(sipacct('root', 'verify', '--user', 'eva', '--month', '2026-11').status).toBe(0);
    expect(sipacct('jan', 'verify')).toEqual({
      status: 77,
      stdout: '',
      stderr: 'sipacct: only root may compare copies with the log of the host\n',
    });
  });

  test("a file that is another's is not read", () => {
    host.writeFile('jan', 'acct', acct);
    run(['chmod', '666', path()]);
    expect(sipacct('jan', 'report')).toMatchObject({
      status: 77,
      stderr: `sipacct: ${path()}: can be written to by group or others: chmod go-w ${path()}\n`,
    });
  });

  test('refuses a command line that does not parse with EX_USAGE', () => {
    expect(sipacct('jan', 'frob')).toMatchObject({
      status: 64,
      stderr: expect.stringMatching(/^sipacct: unknown command 'frob'/),
    });
    expect(sipacct('jan').status).toBe(64);
    expect(sipacct('jan', 'report', '--by', 'moon').status).toBe(64);
  });
});

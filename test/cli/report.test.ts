// How the programs speak: into pipes plainly, on terminals with tables, never obeying what they show.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createReport, printable, type Streams, type Style } from '../../src/cli/report.ts';

/** Streams that keep what is written. */
function kept(isTTY: boolean) {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') =>
    ({
      isTTY,
      write: (text: string) => {
        written[name] += text;
        return true;
      },
    }) as unknown as Streams['stdout'];
  return { written, streams: { stdout: stream('stdout'), stderr: stream('stderr') } };
}

const ESC = '\x1b';

describe('tables', () => {
  const { NO_COLOR, TERM } = process.env;
  beforeEach(() => {
    delete process.env.NO_COLOR;
    process.env.TERM = 'xterm';
  });
  afterEach(() => {
    Object.assign(
      process.env,
      NO_COLOR === undefined ? {} : { NO_COLOR },
      TERM === undefined ? {} : { TERM },
    );
  });
  const show = async (isTTY: boolean) => {
    const { written, streams } = kept(isTTY);
    await createReport('p', { json: false }, streams).table(['NAME', 'N'], [['jan', 5] as const]);
    return written.stdout;
  };

  test('pieces of lines are styled on a terminal alone, and obey nothing', () => {
    const styled = (isTTY: boolean, style: Style) => {
      const { written, streams } = kept(isTTY);
      createReport('p', { json: false }, streams).lines([['a ', { text: `b${ESC}[2J`, style }]]);
      return written.stdout;
    };
    expect(styled(true, 'green')).toBe('a \x1b[32mb\\x1b[2J\x1b[0m\n');
    expect(styled(true, 'blue')).not.toBe(styled(true, 'green'));
    expect(styled(false, 'green')).toBe('a b\\x1b[2J\n');
    process.env.NO_COLOR = '1';
    expect(styled(true, 'green')).toBe('a b\\x1b[2J\n');
  });

  test('are boxed on a terminal, without colour', async () => {
    const text = await show(true);
    expect(text).toContain('│ jan  │ 5 │');
    expect(text).not.toContain(ESC);
  });

  test('are plain into a pipe, under NO_COLOR and on a dumb terminal', async () => {
    const plain = 'NAME  N\njan   5\n';
    expect(await show(false)).toBe(plain);
    process.env.NO_COLOR = '1';
    expect(await show(true)).toBe(plain);
    delete process.env.NO_COLOR;
    process.env.TERM = 'dumb';
    expect(await show(true)).toBe(plain);
  });

  test('lines are styled on a terminal that can, and steer nothing', () => {
    const lines = [
      ['a', { text: `b${ESC}[2J`, style: 'red' as const }, { text: '', style: 'dim' as const }, ' '],
    ];
    const shown = (isTTY: boolean) => {
      const { written, streams } = kept(isTTY);
      const report = createReport('p', { json: false }, streams);
      report.lines(lines);
      return [written.stdout, report.columns];
    };
    expect(shown(true)).toEqual([`a${ESC}[31mb\\x1b[2J${ESC}[0m\n`, 80]);
    expect(shown(false)).toEqual(['ab\\x1b[2J\n', undefined]);
    process.env.NO_COLOR = '1';
    expect(shown(true)).toEqual(['ab\\x1b[2J\n', undefined]);
  });
});

test('messages begin with the program, faults with their place', () => {
  const { written, streams } = kept(false);
  const report = createReport('sipctl', { json: false }, streams);
  report.error('no');
  report.warning('look out');
  report.fault({ path: '/etc/sr/config', line: 3, text: 'Listen: expected …' });
  report.fault({ path: '/etc/sr/config', line: 0, text: 'is a directory' });
  expect(written).toEqual({
    stdout: '',
    stderr:
      'sipctl: no\nsipctl: warning: look out\nsipctl: /etc/sr/config:3: Listen: expected …\nsipctl: /etc/sr/config: is a directory\n',
  });
});

test('what could steer a terminal is shown, not obeyed', () => {
  expect(printable('a\tb\nc')).toBe('a\tb\nc');
  expect(printable(`${ESC}[2J\x07\x7f\x9b1m\r`)).toBe('\\x1b[2J\\x07\\x7f\\x9b1m\\x0d');
  const { written, streams } = kept(false);
  createReport('p', { json: false }, streams).print(`${ESC}]0;x\x07`);
  expect(written.stdout).toBe('\\x1b]0;x\\x07\n');
});

test('JSON is one line into a pipe, indented on a terminal', () => {
  for (const [isTTY, text] of [[false, '{"a":1}\n'] as const, [true, '{\n  "a": 1\n}\n'] as const]) {
    const { written, streams } = kept(isTTY);
    createReport('p', { json: true }, streams).value({ a: 1 });
    expect(written.stdout).toBe(text);
  }
});

test('JSON steers no terminal', () => {
  const { written, streams } = kept(false);
  createReport('p', { json: true }, streams).value({ a: '\x1b\x9b1m\x7f' });
  expect(written.stdout).toBe('{"a":"\\u001b\\u009b1m\\u007f"}\n');
});

test('a progress bar is drawn on a terminal only, and taken away', () => {
  const piped = kept(false);
  const none = createReport('p', { json: false }, piped.streams).progress(2);
  none.step();
  none.end();
  expect(piped.written.stderr).toBe('');
  const terminal = kept(true);
  const bar = createReport('p', { json: false }, terminal.streams).progress(2);
  bar.step();
  bar.step();
  bar.end();
  const [half, full] = [`${'#'.repeat(15)}${' '.repeat(15)}`, '#'.repeat(30)];
  expect(terminal.written.stderr).toBe(`\r[${half}] 1/2\r[${full}] 2/2\r${ESC}[K`);
});

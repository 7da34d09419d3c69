// What a process does before anything else, seen from outside; and the lines of the system log.

import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { openSyslog, printable } from '../../src/unix/syslog.ts';
import { bundleProgram } from './temporary-home.ts';

const REPORT = `
  import { hardenProcess } from 'unix/process-hardening.ts';
  import { libc, errnoName } from 'unix/libc.ts';
  import inspector from 'node:inspector';
  process.umask(0o022);
  hardenProcess();
  hardenProcess();
  process.kill(process.pid, 'SIGUSR1');
  setTimeout(() => console.log(JSON.stringify({
    debugger: inspector.url() ?? 'closed',
    environment: Object.keys(process.env).filter((name) => /^(NODE_OPTIONS|LD_|KEPT)/.test(name)).sort(),
    umask: process.umask(),
    dumpable: libc().prctl(3, 0, 0, 0, 0),
    names: [errnoName(2), errnoName(11), errnoName(99_999)],
  })), 100);
`;

function report(environment: NodeJS.ProcessEnv): unknown {
  const env = {
    PATH: process.env.PATH,
    NODE_OPTIONS: '--no-warnings',
    LD_BIND_NOW: '1',
    KEPT: '1',
    ...environment,
  };
  return JSON.parse(execFileSync(process.execPath, [bundleProgram(REPORT)], { encoding: 'utf8', env }));
}

test('the debugger stays closed, the environment is clean, files are private, memory cannot be dumped', () => {
  const hardened = {
    debugger: 'closed',
    umask: 0o077,
    dumpable: 0,
    names: ['ENOENT', 'EAGAIN', 'errno 99999'],
  };
  expect(report({})).toEqual({ ...hardened, environment: ['KEPT'] });
  expect(report({ UNIXSIP_TEST: 'yes' })).toEqual({ ...hardened, environment: ['KEPT'] });
  expect(report({ UNIXSIP_TEST: '1' })).toEqual({
    ...hardened,
    environment: ['KEPT', 'LD_BIND_NOW', 'NODE_OPTIONS'],
  });
});

test('a line of the system log is one line', () => {
  expect(printable('a\nb\0\x7f\x9b31mä')).toBe('a\\x0ab\\x00\\x7f\\x9b31mä');
});

test('the system log takes a line, or is not there', () => {
  const log = openSyslog('unixsip-test', 'daemon');
  if (log === undefined) return;
  expect(() => log.write('debug', '100%s of a\ntest')).not.toThrow();
  expect(() => openSyslog('unixsip-test', 'no-such-facility')).toThrow('no-such-facility');
});

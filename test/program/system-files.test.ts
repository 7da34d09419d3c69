// What etc/ gives to systemd: the unit, the groups, the directories; and a server with no more privileges than the unit leaves it.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeNeeding } from '../host/required.ts';
import { run, runOrThrow } from '../host/run.ts';
import { Phone } from '../server/phone.ts';
import { realm, Served } from './serve-host.ts';
import { isRoot, ToolHost, type User } from './tool-host.ts';

const etc = resolve(import.meta.dirname, '../../etc');
const unit = join(etc, 'systemd/system/sr.service');
/** What a unit may cost the host, by systemd-analyze; 10 is the most. */
const MOST_EXPOSURE = 3;
const password = 'secret of the test';

/** The value of a setting of the unit. */
function setting(name: string): string {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(readFileSync(unit, 'utf8'))?.[1] ?? '';
}

describeNeeding(['systemd-analyze'], 'the unit', () => {
  test('has no fault', () => {
    const { stderr } = run(['systemd-analyze', 'verify', '--man=no', unit]);
    // Of a host where it is not installed.
    const faults = stderr.split('\n').filter((line) => !/^$|: Command sipctl is not executable: /.test(line));
    expect(faults).toEqual([]);
  });

  test(`is exposed by ${MOST_EXPOSURE} of 10 at most`, () => {
    const { stdout } = run(['systemd-analyze', 'security', '--offline=true', unit]);
    expect(Number(/exposure level for sr\.service: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThanOrEqual(
      MOST_EXPOSURE,
    );
  });
});

describeNeeding(['systemd-sysusers', 'systemd-tmpfiles'], 'groups and directories', () => {
  const root = mkdtempSync(join(tmpdir(), 'sr-root-'));
  mkdirSync(join(root, 'etc'));
  afterAll(() => rmSync(root, { recursive: true }));

  test('are made, and made once', () => {
    for (const _ of [1, 2]) {
      runOrThrow(['systemd-sysusers', `--root=${root}`, join(etc, 'sysusers.d/sr.conf')]);
      runOrThrow(['systemd-tmpfiles', `--root=${root}`, '--create', join(etc, 'tmpfiles.d/sr.conf')]);
    }
    expect(readFileSync(join(root, 'etc/group'), 'utf8')).toMatch(/^(?:(?:sip|sipadmin|sr):x:\d+:\n){3}$/);
    expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).toMatch(
      /^sr:x:\d+:\d+:SIP server:[^:]*:[^:]*nologin\n$/,
    );
    const modes = ['run/sr', 'var/lib/sr', 'var/log/sr'].map(
      (path) => statSync(join(root, path)).mode & 0o777,
    );
    expect(modes).toEqual([0o755, 0o700, 0o755]);
  });
});

describe.skipIf(!isRoot)('a server with what the unit leaves it (needs root)', () => {
  const host = new ToolHost();
  let served: Served;

  beforeAll(async () => {
    for (const user of ['jan', 'tom'])
      host.sippasswd('root', ['--stdin', '--realm', realm, user], `${password}\n`);
    writeFileSync(host.log('wtmp'), '', { mode: 0o664 });
    writeFileSync(host.etc('config'), '');
    const kept = setting('CapabilityBoundingSet')
      .split(' ')
      .map((name) => name.replace('CAP_', '+').toLowerCase());
    const bounded = `set -- setpriv --no-new-privs --bounding-set -all,${kept.join(',')} --inh-caps -all "$@"`;
    const config = ['KeyFile=/etc/sr/key', 'ControlSocket=/etc/sr/control.sock'].flatMap((word) => [
      '-o',
      word,
    ]);
    served = await Served.start(host, 'root', config, undefined, `umask ${setting('UMask')}; ${bounded}`);
  });
  afterAll(async () => {
    await served?.stop();
    host.remove();
  });

  const sipctl = (as: User | 'root', ...words: string[]) =>
    host.run(as, 'sipctl', [...words, '--socket', '/etc/sr/control.sock']);

  test('has no more', () => {
    const { pid } = JSON.parse(sipctl('root', 'status', '--json').stdout);
    expect(pid).toBe(served.shown.pid);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    // dac_read_search, kill, setgid, setuid, setpcap: capabilities(7).
    const bits = [2n, 5n, 6n, 7n, 8n].reduce((set, bit) => set | (1n << bit), 0n);
    expect(/^CapBnd:\s+(\w+)$/m.exec(status)?.[1]).toBe(bits.toString(16).padStart(16, '0'));
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
  });

  test('registers phones, routes calls, writes logins and records, and obeys its administrators', async () => {
    const phones = [];
    for (const user of ['jan', 'tom'] as const) {
      const phone = new Phone(await served.agent(), user);
      const contact = `<${phone.contact}>`;
      expect((await phone.agent.register({ user, password, domain: realm, contact })).status).toBe(200);
      phones.push(phone);
    }
    const [jan, tom] = phones as [Phone, Phone];
    const answer = jan.invite(`sip:tom@${realm}`, {}, password);
    await tom.answer(await tom.next('INVITE'), 486);
    expect((await answer).status).toBe(486);
    await expect.poll(() => host.file('tom', 'acct')).toContain('"busy"');
    for (const user of ['jan', 'tom'] as const) {
      expect(host.file(user, 'usrloc')).toContain(`sip:${user}@`);
      const { uid } = statSync(join(host.home(user), '.sr/usrloc'));
      expect(uid).toBe(statSync(host.home(user)).uid);
    }
    // Root's copy is written by another process than a user's.
    const truth = () => (existsSync(host.log('sr/acct')) ? readFileSync(host.log('sr/acct'), 'utf8') : '');
    await expect.poll(truth).toContain('"busy"');
    await expect.poll(() => statSync(host.log('wtmp')).size).toBeGreaterThanOrEqual(2 * 384);
    expect(sipctl('tom', 'stats')).toMatchObject({ status: 0, stderr: '' });
    expect(served.log()).not.toMatch(/level=(?:error|warning)/);
  });
});

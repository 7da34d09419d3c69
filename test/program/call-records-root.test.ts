// Records of calls of a host's server, run by root (DESIGN §2 acct): the copies of several users and root's own, and what
// becomes of calls when the server is killed, a disk is full, or a log is rotated.

import { chmodSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type CallRecord, parseCallRecord } from '../../src/home/acct.ts';
import type { Response } from '../../src/message/message.ts';
import { createField } from '../../src/message/response.ts';
import { run } from '../host/run.ts';
import { type Incoming, Phone, SDP } from '../server/phone.ts';
import { realm, Served } from './serve-host.ts';
import { isRoot, ToolHost, type User } from './tool-host.ts';

interface Established {
  readonly caller: Phone;
  readonly callee: Phone;
  readonly response: Response;
}

describe.skipIf(!isRoot)('records of calls (needs root)', () => {
  const host = new ToolHost();
  const members = ['jan', 'tom'] as const;
  let served: Served;
  afterAll(() => host.remove());
  beforeEach(() => {
    host.clean();
    host.etc('config');
    for (const user of members)
      expect(host.sippasswd('root', ['--stdin', '--realm', realm, user], `of ${user}\n`).status).toBe(0);
  });
  afterEach(() => served.stop());

  const start = async (before?: string, port?: number) => {
    const own = ['-o', 'KeyFile=/etc/sr/key', '-o', 'ControlSocket=/etc/sr/control.sock'];
    served = await Served.start(host, 'root', own, port, before);
  };

  const readLines = (path: string) =>
    existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
  const truth = () => readLines(host.log('sr/acct')).map((line) => parseCallRecord(line) as CallRecord);
  const fileOf = (user: User) => readLines(`${host.home(user)}/.sr/acct`);
  const ofUser = (user: User) => fileOf(user).map((line) => parseCallRecord(line) as CallRecord);

  /** Waits for the copies: root's and those of users, one each. */
  async function copies(...users: User[]): Promise<Record<User | 'root', CallRecord>> {
    await vi.waitFor(() => {
      expect(truth()).toHaveLength(1);
      for (const user of users) expect(fileOf(user)).toHaveLength(1);
    }, 5000);
    const [root] = truth();
    const of = (user: User) => ofUser(user)[0];
    for (const user of users) expect(of(user)?.id).toBe(root?.id);
    return { root, jan: of('jan'), tom: of('tom'), eva: of('eva') } as Record<User | 'root', CallRecord>;
  }

  async function phoneOf(user: User): Promise<Phone> {
    const phone = new Phone(await served.agent(), user);
    const contact = `<${phone.contact}>`;
    const { status } = await phone.agent.register({ user, password: `of ${user}`, domain: realm, contact });
    expect(status).toBe(200);
    return phone;
  }

  const uri = (name: string) => `sip:${name}@${realm}`;
  const dial = (caller: Phone, name: string) => caller.invite(uri(name), {}, `of ${caller.user}`);

  /** `answering` has its INVITE and answers it. */
  async function answer(caller: Phone, inviting: Promise<Response>, callee: Phone, invite: Incoming) {
    await callee.answer(invite, 200, { body: SDP });
    const response = await inviting;
    expect(response.status).toBe(200);
    await caller.confirm(response);
    return { caller, callee, response };
  }

  async function establish(name = 'tom'): Promise<Established> {
    const [caller, callee] = [await phoneOf('jan'), await phoneOf('tom')];
    const inviting = dial(caller, name);
    return answer(caller, inviting, callee, await callee.next('INVITE'));
  }

  async function hangUp({ caller, callee, response }: Established): Promise<void> {
    const bye = caller.agent.request(caller.within('BYE', response, 90));
    await callee.answer(await callee.next('BYE'), 200);
    expect((await bye).status).toBe(200);
  }

  test('both parties get a copy of their own, root gets one, and nobody reads another’s', async () => {
    await start();
    await hangUp(await establish());
    const { root, jan, tom } = await copies('jan', 'tom');
    expect(root).toMatchObject({ direction: 'internal', caller: 'jan', callee: 'tom', endedBy: 'caller' });
    expect(jan).toEqual({ ...root, direction: 'out' });
    expect(tom).toEqual({ ...root, direction: 'in' });
    const modes = (...paths: string[]) => run(['stat', '-c', '%u %a', ...paths]).stdout.split('\n');
    expect(modes(host.log('sr'), host.log('sr/acct'))).toEqual(['0 755', '0 640', '']);
    expect(modes(`${host.home('jan')}/.sr/acct`, `${host.home('tom')}/.sr/acct`)).toEqual([
      ...['54321 600', '54323 600', ''],
    ]);
  });

  test('a call that was forwarded says by whom, in every copy', async () => {
    host.writeFile('tom', 'config', 'ForwardAlways jan\n');
    await start();
    const [phone, caller] = [await phoneOf('jan'), new Phone(await served.agent(), 'jan')];
    const inviting = dial(caller, 'tom');
    await hangUp(await answer(caller, inviting, phone, await phone.next('INVITE')));
    await vi.waitFor(() => expect([fileOf('jan').length, fileOf('tom').length]).toEqual([2, 1]));
    const [root] = truth();
    expect(root).toMatchObject({ caller: 'jan', callee: 'jan', forwardedBy: 'tom', others: ['tom'] });
    expect(root?.to).toBe(uri('tom'));
    expect(ofUser('tom')[0]).toMatchObject({ direction: 'in', status: 'answered', forwardedBy: 'tom' });
    for (const copy of ofUser('jan')) expect(copy).toMatchObject({ status: 'answered', forwardedBy: 'tom' });
  });

  test('who did not answer a call for several did not miss it', async () => {
    writeFileSync(host.etc('aliases'), 'sales: jan, tom\n');
    await start();
    const [jan, tom] = [await phoneOf('jan'), await phoneOf('tom')];
    const caller = new Phone(await served.agent(), 'jan');
    const inviting = dial(caller, 'sales');
    const [late, invite] = [await jan.next('INVITE'), await tom.next('INVITE')];
    await jan.answer(late, 180);
    const call = await answer(caller, inviting, tom, invite);
    await jan.answer(await jan.next('CANCEL'), 200);
    await jan.answer(late, 487);
    await hangUp(call);
    await vi.waitFor(() => expect([fileOf('jan').length, fileOf('tom').length]).toEqual([2, 1]));
    expect(truth()).toMatchObject([{ callee: 'tom', to: uri('sales'), status: 'answered' }]);
    const incoming = ofUser('jan').find(({ direction }) => direction === 'in');
    expect(incoming).toMatchObject({ status: 'cancelled', code: 200, durationMs: 0, endedBy: undefined });
    expect(ofUser('tom')[0]).toMatchObject({ status: 'answered', callee: 'tom' });
  });

  test('a call that one of several challenges is one for the others', async () => {
    writeFileSync(host.etc('aliases'), 'sales: jan, tom\n');
    await start();
    const [jan, tom] = [await phoneOf('jan'), await phoneOf('tom')];
    const caller = new Phone(await served.agent(), 'jan');
    const inviting = dial(caller, 'sales');
    const challenge = createField('Proxy-Authenticate', 'Digest realm="elsewhere", nonce="n"');
    await tom.answer(await tom.next('INVITE'), 407, { fields: [challenge] });
    await jan.answer(await jan.next('INVITE'), 486);
    expect((await inviting).status).toBe(407);
    await vi.waitFor(() => expect([fileOf('jan').length, truth().length]).toEqual([2, 1]));
    const incoming = ofUser('jan').find(({ direction }) => direction === 'in');
    expect(incoming).toMatchObject({ status: 'busy', code: 486 });
  });

  test('a server that is killed in a call ends it with its BYE when it runs again', async () => {
    await start();
    const { port } = served;
    const call = await establish();
    await vi.waitFor(() => expect(readLines(host.etc('calls')).join('')).toContain('"answer"'));
    served.signal('SIGKILL');
    expect(await served.shown.end()).toBe('SIGKILL');
    const killed = served;
    expect(truth()).toEqual([]);
    await start(undefined, port);
    await hangUp(call);
    const { root, tom } = await copies('jan', 'tom');
    expect(root).toMatchObject({ status: 'answered', endedBy: 'caller' });
    expect(tom).toEqual({ ...root, direction: 'in' });
    await killed.stop();
  });

  test('with a full disk calls go on, and their records come when there is room', async () => {
    await start('mount -t tmpfs -o size=32k,mode=755 none /var/log && dd if=/dev/zero of=/var/log/full 2>&-');
    const call = await establish();
    await hangUp(call);
    await served.logged(/event=acct-waits why="[^"]*no space left on the device"/);
    expect([fileOf('jan').length, fileOf('tom').length]).toEqual([1, 1]);
    const inside = (...argv: string[]) => run(['nsenter', '-t', `${served.shown.pid}`, '-m', ...argv]);
    expect(inside('cat', '/var/log/sr/acct').stdout).toBe('');
    expect(inside('rm', '/var/log/full').status).toBe(0);
    await served.logged(/event=acct-written/);
    const lines = inside('cat', '/var/log/sr/acct').stdout.split('\n').slice(0, -1);
    expect(lines.map(parseCallRecord)).toMatchObject([{ id: ofUser('jan')[0]?.id, direction: 'internal' }]);
  });

  test('a home that is gone for a while gets its record when it is back', async () => {
    await start();
    const call = await establish();
    const away = `${host.home('tom')}.away`;
    renameSync(host.home('tom'), away);
    try {
      await hangUp(call);
      await served.logged(/event=acct-waits user=tom/);
    } finally {
      renameSync(away, host.home('tom'));
    }
    await copies('jan', 'tom');
  });

  test('an acct that leads elsewhere is not followed', async () => {
    await start();
    const call = await establish();
    const target = host.write('target', '');
    chmodSync(target, 0o666);
    expect(run(['ln', '-s', target, `${host.home('tom')}/.sr/acct`]).status).toBe(0);
    await hangUp(call);
    await served.logged(/event=acct-waits user=tom why="[^"]*acct: is a symbolic link/);
    expect(readFileSync(target, 'utf8')).toBe('');
    rmSync(`${host.home('tom')}/.sr/acct`);
    await copies('jan', 'tom');
  });

  test('goes on in a new file when the log is rotated, or its directory removed', async () => {
    await start();
    const call = async () => {
      const caller = new Phone(await served.agent(), 'jan');
      expect((await dial(caller, 'tom')).status).toBe(480);
    };
    await call();
    await vi.waitFor(() => expect(truth()).toHaveLength(1));
    renameSync(host.log('sr/acct'), host.log('sr/acct.1'));
    await call();
    await vi.waitFor(() => expect(truth()).toHaveLength(1));
    rmSync(host.log('sr'), { recursive: true });
    await call();
    await vi.waitFor(() => expect(truth()).toHaveLength(1));
    expect(statSync(host.log('sr')).mode & 0o777).toBe(0o755);
  });
});

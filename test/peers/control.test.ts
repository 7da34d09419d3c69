// The control socket where it is by default, between a server run by root and real accounts: whose word counts is the
// kernel's.

import { existsSync, statSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAgent } from '../agent/agent.ts';
import { type Account, Accounts, asAccount } from '../host/accounts.ts';
import { Background } from '../host/background.ts';
import { realm, setPassword } from '../host/passwords.ts';
import { PrivateHost } from '../host/private-host.ts';
import { describeNeeding } from '../host/required.ts';
import { type Finished, run } from '../host/run.ts';
import { command, Server } from '../host/server.ts';
import { liveContacts } from './registration.ts';

describeNeeding(['root', 'useradd', 'setpriv', 'unshare'], 'the control socket', () => {
  const socket = '/run/sr/control.sock';
  let accounts: Accounts;
  let host: PrivateHost;
  let server: Server;
  let jan: Account;
  let eva: Account;

  beforeAll(async () => {
    accounts = new Accounts();
    host = new PrivateHost();
    jan = accounts.add('jan');
    eva = accounts.add('eva');
    setPassword(jan.name, 'secret', { host });
    server = await Server.start({ host, config: [`Realm ${realm}`] });
  });

  afterAll(async () => {
    await server?.stop();
    accounts?.remove();
    host?.remove();
  });

  const sipctl = (account: Account | undefined, ...words: string[]): Finished =>
    run(command('sipctl', words, { host, account }));
  const register = async (user: Account) => {
    const agent = await createAgent({
      transport: 'udp',
      server: { address: '127.0.0.1', port: server.port },
    });
    expect((await agent.register({ user: user.name, password: 'secret', domain: realm })).status).toBe(200);
    await agent.close();
  };

  test('is where tools look for it, open to all by its mode', () => {
    const { mode } = statSync(host.path(socket));
    expect((mode & 0o777).toString(8)).toBe('666');
    for (const account of [undefined, jan, eva])
      expect(sipctl(account, 'status')).toMatchObject({ status: 0, stderr: '' });
  });

  test('a user takes away what is his, not what is another’s', async () => {
    await register(jan);
    expect(sipctl(eva, 'drop', jan.name).status).toBe(77);
    expect(sipctl(eva, 'trace', jan.name).status).toBe(77);
    expect(sipctl(eva, 'stats').status).toBe(77);
    expect(liveContacts(jan)).toHaveLength(1);
    expect(sipctl(jan, 'drop', jan.name).status).toBe(0);
    expect(liveContacts(jan)).toHaveLength(0);
    await register(jan);
    expect(sipctl(undefined, 'drop', jan.name).status).toBe(0);
    expect(liveContacts(jan)).toHaveLength(0);
  });

  test('what somebody says of himself counts for nothing', async () => {
    await register(jan);
    const request = {
      jsonrpc: '2.0',
      id: 1,
      method: 'drop',
      params: { user: jan.name, uid: 0, caller: { isAdministrator: true } },
    };
    const line = JSON.stringify(`${JSON.stringify(request)}\n`);
    const script = `require('node:net').connect('${socket}').on('data', (data) => { console.log(String(data)); process.exit(); }).write(${line})`;
    const { stdout } = run(host.command(asAccount(eva, ['-e', script])));
    expect(JSON.parse(stdout).error).toMatchObject({ code: -32001 });
    expect(liveContacts(jan)).toHaveLength(1);
  });

  test('a trace of a user’s has his messages alone', async () => {
    const argv = command('sipctl', ['trace', '--json'], { host, account: jan });
    const tracing = new Background(argv);
    await tracing.match(/interrupt to end/);
    setPassword(eva.name, 'secret', { host });
    await register(eva);
    await register(jan);
    await tracing.match(/"SIP\/2\.0 200 OK"/);
    await tracing.stop('SIGINT');
    expect(tracing.output).toContain(jan.name);
    expect(tracing.output).not.toContain(eva.name);
    expect(tracing.output).not.toMatch(/response=\\"[0-9a-f]/);
  });

  test('goes with the server', async () => {
    expect(sipctl(undefined, 'stop')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(existsSync(host.path(socket))).toBe(false);
    expect(sipctl(undefined, 'status').status).toBe(69);
  });
});

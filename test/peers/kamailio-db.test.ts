// Debian's Kamailio and its db_postgres, unmodified, over `sipctl db serve`: it authenticates by ~/.sr/passwd, keeps contacts in
// ~/.sr/usrloc, and asks for UNIX groups. Its configuration is etc/sr-kamailio.cfg, which includes Debian's stock one.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseUsrloc } from '../../src/home/usrloc.ts';
import { type Agent, createAgent } from '../agent/agent.ts';
import { Background } from '../host/background.ts';
import { freePort } from '../host/free-port.ts';
import { realm } from '../host/passwords.ts';
import { processesOf } from '../host/processes.ts';
import { describeNeeding } from '../host/required.ts';
import { run, runOrThrow } from '../host/run.ts';
import { WrappedHost, wrapperNeeds } from '../long/wrapped-host.ts';
import { Phone, SDP } from '../server/phone.ts';
import { sippLoad } from './sipp.ts';

const accounts = Number(process.env.KAMAILIO_ACCOUNTS) || 50;
const stock = '/etc/kamailio/kamailio.cfg';
const shipped = resolve(import.meta.dirname, '../../etc/sr-kamailio.cfg');
const password = 'secret';
/** INFO asks whether the caller is in a group. */
const groupQuestion = ['sip', 'wheel']
  .map(
    (group) =>
      `  if (is_method("INFO") && $hdr(Group) == "${group}" && is_user_in("From", "${group}")) { sl_send_reply("200", "OK"); exit; }\n`,
  )
  .concat('  if (is_method("INFO")) { sl_send_reply("403", "No"); exit; }\n')
  .join('');

describeNeeding(
  ['root', 'kamailio', 'psql', 'sipp', ...wrapperNeeds],
  'Kamailio over sipctl db serve',
  () => {
    let host: WrappedHost;
    let database: Background;
    let kamailio: Background | undefined;
    let databasePort: number;
    let port: number;
    const agents: Agent[] = [];

    beforeAll(async () => {
      host = new WrappedHost(accounts);
      for (const user of host.users) host.makeHome(user);
      // All at once: a thousand programs would take a minute.
      runOrThrow(host.command('sippasswd', ['--batch', '--realm', realm]), {
        input: host.users.map((user) => `${user}:${password}\n`).join(''),
        env: host.environment,
        timeoutMs: 60_000,
      });
      databasePort = await freePort();
      const credentials = join(host.directory, 'credentials');
      writeFileSync(credentials, `kamailio:${password}\n`, { mode: 0o600 });
      const file = join(host.directory, 'config');
      const lines = [
        `Realm ${realm}`,
        'DbReadHashes yes',
        'DbWrite yes',
        `KeyFile ${join(host.directory, 'key')}`,
        `DbCredentials ${credentials}`,
      ];
      writeFileSync(file, `${lines.join('\n')}\n`);
      const words = ['db', 'serve', '--listen', `127.0.0.1:${databasePort}`, '-f', file];
      database = new Background(host.command('sipctl', words), { env: host.environment });
      await database.match(/^Serving the accounts/m);
    }, 90_000);

    afterAll(async () => {
      await Promise.all(agents.map((agent) => agent.close()));
      await stop();
      expect(await database?.stop()).toBe(0);
      host?.remove();
    });

    /** Starts it with contacts written through (1) or not kept in memory at all (3); `isStock`: auth_db as Debian has it. */
    async function start(mode: 1 | 3, isStock = false): Promise<void> {
      port = await freePort();
      const directory = join(host.directory, `kamailio-${mode}`);
      mkdirSync(directory, { recursive: true });
      const file = join(directory, 'kamailio.cfg');
      // With a question in its routes that the test asks; nothing else of it is touched.
      const included = join(directory, 'stock.cfg');
      const routes = readFileSync(stock, 'utf8');
      writeFileSync(included, routes.replace(/^request_route \{$/m, `request_route {\n${groupQuestion}`));
      const own = `listen=udp:127.0.0.1:${port}\nalias="${realm}"`;
      const made = readFileSync(shipped, 'utf8')
        .replace('PASSWORD@127.0.0.1', `${password}@127.0.0.1:${databasePort}`)
        .replace('alias="example.org"', own)
        .replace(stock, included)
        .replace('"db_mode", 1', `"db_mode", ${mode}`);
      const cfg = isStock ? made.replace(/^modparam\("auth_db".*\n/gm, '') : made;
      writeFileSync(file, cfg);
      const memory = ['-m', '64', '-M', '8'];
      kamailio = new Background([
        'kamailio',
        '-f',
        file,
        '-DD',
        '-E',
        ...memory,
        '-w',
        directory,
        '-Y',
        directory,
        '-P',
        join(directory, 'pid'),
      ]);
      await vi.waitFor(async () => expect((await options()).status).toBeGreaterThan(0), {
        timeout: 20_000,
        interval: 200,
      });
    }

    /** As a crash does: told to end, one of its processes now and then waits for ever for a lock of another. */
    async function stop(): Promise<void> {
      if (kamailio?.isRunning) for (const { pid } of processesOf(kamailio.pid)) process.kill(pid, 'SIGKILL');
      await kamailio?.end();
      kamailio = undefined;
    }

    async function open(timeoutMs = 5000): Promise<Agent> {
      const agent = await createAgent({
        transport: 'udp',
        server: { address: '127.0.0.1', port },
        timeoutMs,
      });
      agents.push(agent);
      return agent;
    }

    async function options() {
      const agent = await open(300);
      try {
        return await agent.request({ method: 'OPTIONS', requestUri: `sip:127.0.0.1:${port}` });
      } finally {
        await agent.close();
      }
    }

    /** kamctl as it is configured for this database. */
    function tools(mode: 1 | 3) {
      const home = join(host.directory, 'kamctl');
      mkdirSync(home, { recursive: true });
      const lines = [
        ...[
          `SIP_DOMAIN=${realm}`,
          'DBENGINE=PGSQL',
          'DBHOST=127.0.0.1',
          `DBPORT=${databasePort}`,
          'DBNAME=sr',
        ],
        ...['DBRWUSER=kamailio', `DBRWPW=${password}`, 'DBROUSER=kamailio', `DBROPW=${password}`],
        ...[
          'CTLENGINE=RPCFIFO',
          `RPCFIFOPATH=${join(host.directory, `kamailio-${mode}`, 'kamailio_rpc.fifo')}`,
        ],
      ];
      writeFileSync(join(home, '.kamctlrc'), `${lines.join('\n')}\n`);
      const env = { ...process.env, HOME: home, LD_PRELOAD: '' };
      return { kamctl: (...words: string[]) => run(['kamctl', ...words], { env, cwd: home }) };
    }

    const contactsOf = (user: string) => {
      const path = host.usrloc(user);
      return existsSync(path) ? parseUsrloc(readFileSync(path, 'latin1'), path).bindings : [];
    };

    describe.each([1, 3] as const)('db_mode %s', (mode) => {
      beforeAll(() => start(mode), 30_000);
      afterAll(async () => {
        await stop();
        for (const user of host.users) rmSync(host.usrloc(user), { force: true });
      });

      test(`${accounts} accounts register, and their contacts are in ~/.sr/usrloc`, {
        timeout: 90_000,
      }, async () => {
        const users = host.users.map((user) => ({ user, password }));
        const load = { users, domain: realm, address: '127.0.0.1' as const, port, transport: 'udp' as const };
        const result = await sippLoad({ ...load, registrations: accounts, atOnce: 10 });
        expect(result).toEqual({ registered: accounts, failed: 0 });
        expect(host.users.filter((user) => contactsOf(user).length !== 1)).toEqual([]);
        const shown = run(host.command('sipctl', ['ul', 'show', 'u1', '--json']), { env: host.environment });
        expect(JSON.parse(shown.stdout)).toMatchObject([{ user: 'u1', uri: contactsOf('u1')[0]?.uri }]);
      });

      test('a wrong password is refused, a new one holds for the next message', async () => {
        const agent = await open();
        const register = (secret: string) => agent.register({ user: 'u2', password: secret, domain: realm });
        expect((await register('wrong')).status).toBe(401);
        host.setPassword('u2', 'new');
        try {
          expect((await register(password)).status).toBe(401);
          expect((await register('new')).status).toBe(200);
        } finally {
          host.setPassword('u2', password);
        }
      });

      test('calls are made, and come to who registered', async () => {
        const [caller, callee] = [new Phone(await open(), 'u3'), new Phone(await open(), 'u4')];
        for (const { agent, user } of [caller, callee])
          expect((await agent.register({ user, password, domain: realm })).status).toBe(200);
        const called = caller.request('INVITE', `sip:u4@${realm}`, {
          fields: { 'Content-Type': 'application/sdp' },
          body: SDP,
          secret: password,
        });
        await callee.answer(await callee.next('INVITE'), 200, { body: SDP });
        const answer = await called;
        expect(answer.status).toBe(200);
        await caller.confirm(answer);
        await callee.next('ACK');
        const bye = caller.agent.request(caller.within('BYE', answer, 90));
        await callee.answer(await callee.next('BYE'), 200);
        expect((await bye).status).toBe(200);
        const acct = join(host.home('u4'), '.sr/acct');
        await vi.waitFor(() => expect(existsSync(acct)).toBe(true), { timeout: 5000, interval: 20 });
        const records = readFileSync(acct, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
        expect(records.at(-1)).toMatchObject({
          status: 'answered',
          dir: 'in',
          from: `sip:u3@${realm}`,
          to: `sip:u4@${realm}`,
          ended_by: 'caller',
        });
      });

      test('groups are those of UNIX', async () => {
        const agent = await open();
        const ask = async (group: string) =>
          (
            await agent.request({
              method: 'INFO',
              requestUri: `sip:${realm}`,
              fields: { From: `<sip:u1@${realm}>;tag=1`, Group: group },
            })
          ).status;
        expect([await ask('sip'), await ask('wheel')]).toEqual([200, 403]);
      });

      test('kamctl adds, changes, takes away and shows', async () => {
        const { kamctl } = tools(mode);
        expect(kamctl('rm', 'u8').status).toBe(0);
        const agent = await open();
        const register = (secret: string) => agent.register({ user: 'u8', password: secret, domain: realm });
        expect((await register(password)).status).toBe(401);
        expect(kamctl('add', 'u8', 'first').stdout).toContain("new user 'u8' added");
        expect((await register('first')).status).toBe(200);
        expect(kamctl('passwd', 'u8', 'second').stdout).toContain('password change succeeded');
        expect((await register('first')).status).toBe(401);
        expect((await register('second')).status).toBe(200);
        expect(kamctl('ul', 'show', 'u8').stdout).toContain(`sip:u8@127.0.0.1:${agent.local.port}`);
        expect(kamctl('acl', 'show', 'u8').stdout).toMatch(/u8.*sip/);
        host.setPassword('u8', password);
      });

      test('Kamailio started anew finds its contacts', async () => {
        const callee = new Phone(await open(), 'u5');
        expect((await callee.agent.register({ user: 'u5', password, domain: realm })).status).toBe(200);
        await stop();
        await start(mode);
        const caller = new Phone(await open(), 'u6');
        const received = callee.next('INVITE', 10_000);
        // It serves while it still reads what there is; and who answers would answer the Kamailio of before, whose port the
        // agent knows.
        await vi.waitFor(
          async () => {
            const called = caller.request('INVITE', `sip:u5@${realm}`, {
              fields: { 'Content-Type': 'application/sdp' },
              body: SDP,
              secret: password,
            });
            await Promise.race([called.then(({ status }) => expect(status).not.toBe(404)), received]);
          },
          { timeout: 10_000, interval: 100 },
        );
        expect((await received).request.requestUri).toBe(callee.contact);
      });
    });

    describe('auth_db’s stock parameters', () => {
      beforeAll(() => start(1, true), 30_000);
      afterAll(stop);

      test('do for users of --format plain, and for them alone', async () => {
        const words = ['--stdin', '--realm', realm, '--format', 'plain', 'u9'];
        runOrThrow(host.command('sippasswd', words), { input: 'plain text\n', env: host.environment });
        const agent = await open();
        const register = (user: string, secret: string) =>
          agent.register({ user, password: secret, domain: realm });
        expect((await register('u9', 'plain text')).status).toBe(200);
        expect((await register('u9', 'wrong')).status).toBe(401);
        expect((await register('u1', password)).status).toBe(401);
      });
    });

    test('psql shows the tables and their columns', () => {
      const psql = (...words: string[]) =>
        run(['psql', '-h', '127.0.0.1', '-p', `${databasePort}`, '-U', 'kamailio', '-d', 'sr', ...words], {
          env: { ...process.env, PGPASSWORD: password, LD_PRELOAD: '' },
        });
      expect(psql('-c', '\\d').stdout).toMatch(/^ public \| location +\| table \| sr$/m);
      expect(psql('-c', '\\d location').stdout).toMatch(/^ contact +\| text +\|/m);
      expect(psql('-c', '\\dt loc*').stdout).toContain('(2 rows)');
      expect(psql('-At', '-c', "select username from subscriber where username = 'u7'").stdout).toBe('u7\n');
    });
  },
);

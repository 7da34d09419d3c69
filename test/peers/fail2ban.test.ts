// The filter and the jail we ship, read by fail2ban itself, over what the real server logged of real attempts: each source
// that failed is found, and nobody else's, whatever a peer writes into his messages.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toOctets } from '../../src/message/octets.ts';
import { type Agent, createAgent, type RegisterOptions } from '../agent/agent.ts';
import { type Account, Accounts } from '../host/accounts.ts';
import { realm, setPassword } from '../host/passwords.ts';
import { PrivateHost } from '../host/private-host.ts';
import { describeNeeding } from '../host/required.ts';
import { runOrThrow } from '../host/run.ts';
import { command, Server } from '../host/server.ts';
import { TwoHosts, twoHostsNeeds } from '../host/two-hosts.ts';

const shipped = resolve(import.meta.dirname, '../../etc/fail2ban');
const filter = join(shipped, 'filter.d/sr.conf');

/** Whom the forged lines would have banned, with a time that would have them forgotten. */
const VICTIM = '192.0.2.99';
const forged = [
  `event=auth-failed src=${VICTIM}:5060 `,
  `jan src=${VICTIM}:5060 why=x`,
  `" src=${VICTIM}:5060 event=auth-failed src=${VICTIM}:5060 user="x`,
  `\\" event=auth-failed src=${VICTIM}:5060 \\`,
  `time=2001-01-01T00:00:00.000Z level=info event=auth-failed src=${VICTIM}:5060 user=x`,
  `2001-01-01 00:00:00 host sipctl[1]: event=auth-failed src=${VICTIM}:5060 `,
  `x\u2028event=auth-failed src=${VICTIM}:5060 `,
  `x\u0085event=auth-failed src=${VICTIM}:5060 `,
  `${' '.repeat(250)}event=auth-failed src=${VICTIM}:5060 `,
];

interface Found {
  readonly address: string;
  readonly atMs: number;
}

describeNeeding([...twoHostsNeeds, 'useradd', 'fail2ban-regex'], 'fail2ban', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sr-fail2ban-'));
  const agents: Agent[] = [];
  const running: { stop(): Promise<unknown> }[] = [];
  let accounts: Accounts;
  let host: PrivateHost;
  let jan: Account;

  beforeAll(() => {
    accounts = new Accounts();
    host = new PrivateHost();
    jan = accounts.add('jan', ['sip']);
    setPassword(jan.name, 'secret', { host });
  });

  afterAll(async () => {
    for (const agent of agents) await agent.close();
    for (const each of running) await each.stop();
    accounts?.remove();
    host?.remove();
    rmSync(directory, { recursive: true });
  });

  /** What the filter finds in lines of a log, in their order. */
  function find(lines: readonly string[], mode = 'auth'): Found[] {
    const file = join(directory, 'log');
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
    const shown = runOrThrow(['fail2ban-regex', '-o', 'row', file, `${filter}[mode=${mode}]`]);
    return [...shown.matchAll(/^\['([^']+)',\s*([\d.]+),/gm)].map(([, address = '', seconds]) => ({
      address,
      atMs: Number(seconds) * 1000,
    }));
  }

  test('finds each source that failed to authenticate, at its time, and none that a peer made up', async () => {
    const begun = Date.now();
    const config = [`Realm ${realm}`, 'LogLevel debug'];
    const server = await Server.start({ host, config });
    const expected: string[] = [];
    let ended = 0;
    try {
      const agent = async (transport: 'udp' | 'tcp', localAddress: string) => {
        const address = localAddress === '::1' ? '::1' : '127.0.0.1';
        const made = await createAgent({ transport, server: { address, port: server.port }, localAddress });
        agents.push(made);
        return made;
      };
      const register = async (by: Agent, options: Partial<RegisterOptions>) =>
        (await by.register({ user: jan.name, password: 'secret', domain: realm, ...options })).status;
      const sources = [
        ['udp', '127.0.0.2'],
        ['tcp', '127.0.0.3'],
        ['udp', '::1'],
        ['tcp', '::1'],
      ] as const;
      for (const [transport, localAddress] of sources) {
        const phone = await agent(transport, localAddress);
        expect(await register(phone, { password: 'wrong' })).toBe(401);
        expect(await register(phone, { user: 'nobody-here' })).toBe(401);
        expected.push(localAddress, localAddress);
      }
      const forger = await agent('udp', '127.0.0.4');
      for (const text of forged) {
        const status = await register(forger, { authUsername: text });
        expect([400, 401]).toContain(status);
        if (status === 401) expected.push('127.0.0.4');
      }
      // Whoever has the password is no failure, whatever else he sends.
      const owner = await agent('udp', '127.0.0.5');
      for (const text of forged) {
        const octets = toOctets(text);
        const extraFields = { 'User-Agent': octets, Subject: octets, Organization: octets };
        expect(await register(owner, { extraFields })).toBe(200);
        // Not his address: the log says whose.
        const user = encodeURIComponent(text);
        expect(await register(owner, { user, authUsername: jan.name })).toBe(403);
      }
      const plain = `event=auth-failed;src=${VICTIM}:5060`;
      await register(owner, { contact: `<sip:jan@127.0.0.5:5070;${plain}>`, callId: `${VICTIM}:5060` });
      const malformed = await agent('udp', '127.0.0.6');
      for (const text of forged) {
        const octets = toOctets(text);
        const fields = { 'Call-ID': octets, From: octets, [octets]: octets };
        await malformed.sendRaw(malformed.format({ method: 'REGISTER', requestUri: `sip:${realm}`, fields }));
        await malformed.sendRaw(malformed.format({ method: 'OPTIONS', requestUri: octets }));
        await malformed.sendRaw(`${octets}\r\n\r\n`);
      }
      await malformed.request({ method: 'OPTIONS', requestUri: `sip:${realm}`, callId: 'fence' });
    } finally {
      ended = Date.now();
      await server.stop();
    }

    const lines = server.process.output.split('\n').filter((line) => line.startsWith('time='));
    // What he says of the victim is in the log, as he says it, where he proved his password too.
    const told = lines.filter(
      (line) => /^\S+ \S+ event=refused /.test(line) && line.includes(forged[0] as string),
    );
    expect(told).not.toEqual([]);
    expect(expected.filter((address) => address === '127.0.0.4').length).toBeGreaterThan(5);
    const found = find(lines);
    expect(found.map(({ address }) => address)).toEqual(expected);
    for (const { atMs } of found) {
      expect(atMs).toBeGreaterThanOrEqual(begun - 1000);
      expect(atMs).toBeLessThanOrEqual(ended + 1000);
    }

    // The same lines as syslog daemons and the journal hand them on.
    const now = new Date();
    const daemons = [
      `${now.toString().slice(4, 10)} ${now.toString().slice(16, 24)} pbx sipctl[71]: `,
      `${now.toISOString()} pbx sipctl[71]: `,
      `${now.toISOString()} pbx node[71]: `,
    ];
    for (const daemon of daemons)
      for (const text of [lines, lines.map((line) => line.replace(/^time=\S+ level=\w+ /, ''))])
        expect(find(text.map((line) => daemon + line)).map(({ address }) => address)).toEqual(expected);
    expect(find(lines, 'flood')).toEqual([]);
  });

  test('finds a source beyond RateLimit, in mode flood alone', async () => {
    const [own, flooder] = [
      ['192.0.2.1', '2001:db8::1'],
      ['192.0.2.2', '2001:db8::2'],
    ] as const;
    const file = join(directory, 'config');
    const listen = [`Listen udp:${own[0]}:5060`, `Listen udp:[${own[1]}]:5060`];
    const config = [
      ...listen,
      `KeyFile ${directory}/key`,
      'AllowGroups *',
      'ServerUser nobody',
      'RateLimit 1/10',
    ];
    writeFileSync(file, `${config.join('\n')}\n`);
    const network = await TwoHosts.make(own, flooder);
    const server = network.serve(command('sipctl', ['serve', '-f', file], { host }));
    running.push(server, network);
    await server.match(/event=ready/);
    const program = resolve(import.meta.dirname, '../program/flood-from.mjs');
    for (const [at, from] of flooder.entries()) {
      const argv = [process.execPath, program, own[at] as string, '5060', '50', '10', from];
      const flood = network.far(argv);
      running.push(flood);
      await flood.match(/\[.*\]\n/);
      await server.match(new RegExp(`event=rate-limit src=\\[?${from}\\]?:\\d+$`, 'm'));
    }
    const lines = server.output.split('\n');
    expect(find(lines, 'flood').map(({ address }) => address)).toEqual(flooder);
    expect(find(lines)).toEqual([]);
  });

  test('takes the jail as it is shipped, and with its other half in force', () => {
    const config = join(directory, 'fail2ban');
    cpSync('/etc/fail2ban', config, { recursive: true });
    rmSync(join(config, 'jail.d'), { recursive: true });
    cpSync(shipped, config, { recursive: true });
    const client = ['fail2ban-client', '-c', config];
    const jails = () => {
      runOrThrow([...client, '-t']);
      return [...runOrThrow([...client, '-d']).matchAll(/^\['start', '(.+)'\]$/gm)].map(([, name]) => name);
    };
    expect(jails()).toEqual(['sr']);
    const jail = readFileSync(join(config, 'jail.d/sr.conf'), 'utf8');
    writeFileSync(join(config, 'jail.d/sr.conf'), jail.replace('enabled = false', 'enabled = true'));
    expect(jails()).toEqual(['sr', 'sr-flood']);
  });
});

// sipctl trace as root, and as users who see what is their own and nothing else (DESIGN §6).

import { readFileSync, statSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TraceRecord } from '../../src/control/trace-record.ts';
import { type Agent, createAgent } from '../agent/agent.ts';
import { Background } from '../host/background.ts';
import { Phone } from '../server/phone.ts';
import { realm, Served } from './serve-host.ts';
import { isRoot, ToolHost, type User } from './tool-host.ts';

describe.skipIf(!isRoot)('sipctl trace (needs root)', () => {
  const host = new ToolHost();
  const at = '/etc/sr-run/control.sock';
  const password = 'secret of the test';
  const agents: Agent[] = [];
  const traces: Background[] = [];
  let served: Served;
  beforeAll(async () => {
    for (const user of ['jan', 'eva'] as const)
      host.sippasswd('root', ['--stdin', '--realm', realm, user], `${password}\n`);
    const words = ['KeyFile=/etc/sr/key', `ControlSocket=${at}`, 'AllowGroups=sip eva'];
    served = await Served.start(
      host,
      'root',
      words.flatMap((word) => ['-o', word]),
    );
  });
  afterEach(async () => {
    await Promise.all(traces.splice(0).map((trace) => trace.stop()));
    await Promise.all(agents.splice(0).map((agent) => agent.close()));
  });
  afterAll(async () => {
    await served?.stop();
    host.remove();
  });
  const trace = async (as: User | 'root', ...words: string[]) => {
    const argv = host.command(as, 'sipctl', ['trace', '--socket', at, ...words]);
    const running = new Background(argv, { env: host.environment() });
    traces.push(running);
    await running.match(/^sipctl: tracing .*; interrupt to end\n/m);
    return running;
  };
  const records = ({ output }: Background): TraceRecord[] =>
    output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  const phone = async (user: User) => {
    const server = { address: '127.0.0.1', port: served.port };
    const agent = await createAgent({ transport: 'udp', server });
    agents.push(agent);
    const made = new Phone(agent, user);
    const contact = `<${made.contact}>`;
    expect((await agent.register({ user, password, domain: realm, contact })).status).toBe(200);
    return { phone: made, address: `127.0.0.1:${agent.local.port}` };
  };
  const peers = (seen: readonly TraceRecord[]) =>
    new Set(seen.map(({ sent, source, destination }) => (sent ? destination : source)));

  test('a caller sees his leg of a call, a callee his, root both, and nobody a password', async () => {
    expect(host.run('root', 'sipctl', ['drop', '--socket', at, 'jan']).status).toBe(0);
    const [ofJan, ofEva, ofTom] = [
      await trace('jan', '--json'),
      await trace('eva', '--json'),
      await trace('root', '--json'),
    ];
    const [jan, eva] = [await phone('jan'), await phone('eva')];
    const call = eva.phone.invite(`sip:jan@${realm}`, {}, password);
    const invite = await jan.phone.next('INVITE');
    await jan.phone.answer(invite, 180);
    await jan.phone.answer(invite, 486);
    expect((await call).status).toBe(486);
    for (const one of [ofJan, ofEva, ofTom]) await one.match(/486 Busy Here/);
    await ofJan.match(/"ACK sip:jan@/);

    expect(peers(records(ofJan))).toEqual(new Set([jan.address]));
    const linesOfJan = records(ofJan).map(({ line }) => line.replace(/ sip:\S+/, ''));
    expect(linesOfJan).toEqual([
      ...['REGISTER SIP/2.0', 'SIP/2.0 401 Unauthorized', 'REGISTER SIP/2.0', 'SIP/2.0 200 OK'],
      ...['INVITE SIP/2.0', 'SIP/2.0 180 Ringing', 'SIP/2.0 486 Busy Here', 'ACK SIP/2.0'],
    ]);
    expect(peers(records(ofEva))).toEqual(new Set([eva.address]));
    expect(records(ofEva).map(({ line }) => line)).toContain('SIP/2.0 407 Proxy Authentication Required');
    expect(peers(records(ofTom))).toEqual(new Set([jan.address, eva.address]));
    for (const one of [ofJan, ofEva, ofTom]) {
      expect(one.output).toMatch(/response=\\"\*+\\"/);
      expect(one.output).not.toMatch(/(?:response|nonce|rspauth)=\\"(?!\*)/);
    }
  });

  test('nobody sees another’s, by name, by address, or by registering his phone', async () => {
    const refusal = host.run('eva', 'sipctl', ['trace', '--socket', at, 'jan']);
    expect(refusal).toMatchObject({
      status: 77,
      stderr: "sipctl: only root and members of group sipadmin may see and change what is jan's\n",
    });
    const jan = await phone('jan');
    const ofEva = await trace('eva', '--json', jan.address);
    const all = await trace('eva', '--json');
    // Eva says that her phone is where jan's is.
    const server = { address: '127.0.0.1', port: served.port };
    const agent = await createAgent({ transport: 'udp', server });
    agents.push(agent);
    await agent.register({ user: 'eva', password, domain: realm, contact: `<${jan.phone.contact}>` });
    await jan.phone.agent.register({
      user: 'jan',
      password,
      domain: realm,
      contact: `<${jan.phone.contact}>`,
    });
    await agent.request({
      method: 'OPTIONS',
      requestUri: `sip:${realm}`,
      fields: { From: `<sip:eva@${realm}>;tag=1` },
    });
    await all.match(/OPTIONS/);
    expect(peers(records(all))).toEqual(new Set([`127.0.0.1:${agent.local.port}`]));
    expect(records(ofEva)).toEqual([]);
  });

  test('nor by a request that says it came from his phone, in a call whose Call-ID is known', async () => {
    const all = await trace('eva', '--json');
    const jan = await phone('jan');
    const server = { address: '127.0.0.1', port: served.port };
    const agent = await createAgent({ transport: 'udp', server });
    agents.push(agent);
    const callId = 'known@trace.test';
    const claim = agent.format({
      method: 'OPTIONS',
      requestUri: `sip:${realm}`,
      callId,
      fields: { From: `<sip:eva@${realm}>;tag=1` },
    });
    await agent.sendRaw(claim.replace(/^Via: .*$/m, `Via: SIP/2.0/UDP ${jan.address};branch=z9hG4bKclaim`));
    // Without rport the answer goes where Via says, and is for her to see.
    await all.match(/SIP\/2\.0 200 OK/);
    await jan.phone.agent.request({ method: 'OPTIONS', requestUri: `sip:${realm}`, callId });
    const last = agent.format({ method: 'OPTIONS', requestUri: `sip:${realm}`, callId: 'last@trace.test' });
    await agent.exchange(last.replace(/^From: .*$/m, `From: <sip:eva@${realm}>;tag=2`));
    await all.match(/last@trace\.test/);
    expect(records(all).map(({ callId: of, sent }) => [of, sent])).toEqual([
      [callId, false],
      [callId, true],
      ['last@trace.test', false],
      ...records(all)
        .slice(3)
        .map(() => ['last@trace.test', true]),
    ]);
  });

  test('nothing in a message steers a terminal, also not as JSON', async () => {
    const running = await trace('root', '--json');
    const jan = await phone('jan');
    const fields = { 'User-Agent': 'x\x9b2J\x7f\x1b]0;y' };
    await jan.phone.agent.request({ method: 'OPTIONS', requestUri: `sip:${realm}`, fields });
    await running.match(/OPTIONS[^\n]*2J[^\n]*\n/);
    expect(running.output).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
  });

  test('lines for people, so many as -c says', async () => {
    const running = await trace('root', '-c', '2');
    const jan = await phone('jan');
    expect(await running.end()).toBe(0);
    const [, first, second] = running.output.split('\n');
    const ours = `127.0.0.1:${served.port}`;
    expect(first).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}/);
    expect(first?.slice(14)).toBe(
      `${jan.address.padEnd(21)} → ${ours.padEnd(21)}  udp  REGISTER sip:${realm} SIP/2.0`,
    );
    expect(second?.slice(14)).toBe(
      `${ours.padEnd(21)} → ${jan.address.padEnd(21)}  udp  SIP/2.0 401 Unauthorized`,
    );
    expect(running.output).not.toContain('\x1b');
  });

  test('--pcap writes a file that is its reader’s alone, masked too', async () => {
    const path = `${host.home('jan')}/trace.pcap`;
    const running = await trace('jan', '--pcap', path, '-c', '4');
    await phone('jan');
    expect(await running.end()).toBe(0);
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
    const content = readFileSync(path, 'latin1');
    expect(content.slice(0, 4)).toBe('\xd4\xc3\xb2\xa1');
    expect(content.match(/REGISTER sip:/g)).toHaveLength(2);
    expect(content).toMatch(/response="\*+"/);
    expect(content).not.toMatch(/response="[0-9a-f]/);
  });

  test('ends with 69 when the server does, with 65 for no count', async () => {
    expect(host.run('root', 'sipctl', ['trace', '--socket', at, '-c', 'x'])).toMatchObject({ status: 65 });
    const running = await trace('root');
    await served.stop();
    expect(await running.end()).toBe(69);
    expect(running.output).toContain('sipctl: the server closed the connection\n');
  });
});

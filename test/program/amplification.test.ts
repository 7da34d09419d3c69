// Nobody's answer to a datagram is a better weapon than the datagram was: its source may be forged.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Background } from '../host/background.ts';
import { describeNeeding } from '../host/required.ts';
import { TwoHosts, twoHostsNeeds } from '../host/two-hosts.ts';
import { realm } from './serve-host.ts';
import { ToolHost } from './tool-host.ts';

const ANSWERS = resolve(import.meta.dirname, 'answers-to.mjs');
const TORTURE = resolve(import.meta.dirname, '../message/rfc4475');
const [SERVER, STRANGER] = ['192.0.2.1', '198.51.100.1'] as const;
const METHODS = ['REGISTER', 'INVITE', 'OPTIONS', 'MESSAGE', 'SUBSCRIBE', 'PUBLISH', 'BYE', 'CANCEL', 'FOO'];

/** As short as a request can be; `more` are further lines. */
const short = (method: string, uri: string, from: string, more: readonly string[] = []): string =>
  [
    `${method} ${uri} SIP/2.0`,
    `v:SIP/2.0/UDP ${STRANGER}:@PORT@;branch=z9hG4bK1`,
    `f:<${from}>;tag=1`,
    `t:<${uri}>`,
    'i:1',
    `CSeq:1 ${method}`,
    ...more,
    '\r\n',
  ].join('\r\n');

const bad = ['Max-Forwards:0', 'Require:x', 'Proxy-Require:x', 'Route:<sip:x;lr>', 'l:9', 'Max-Breadth:0'];

function shortRequests(): string[] {
  const requests: string[] = [];
  for (const method of METHODS)
    for (const uri of [`sip:${realm}`, `sip:jan@${realm}`, 'sip:a@b', 'tel:1', 'x:y'])
      for (const from of [`sip:jan@${realm}`, 'sip:a'])
        for (const more of [[], ...bad.map((line) => [line])]) requests.push(short(method, uri, from, more));
  return requests;
}

/** Each cut off at every place. */
const cutRequests = () =>
  METHODS.slice(0, 3).flatMap((method) => {
    const whole = short(method, `sip:${realm}`, `sip:jan@${realm}`);
    return Array.from({ length: whole.length }, (_, end) => whole.slice(0, end));
  });

const tortures = () =>
  readdirSync(TORTURE)
    .filter((name) => name.endsWith('.dat'))
    .map((name) => readFileSync(join(TORTURE, name), 'latin1'));

/** What a phone sends first. */
const ordinary = short('REGISTER', `sip:jan@${realm}`, `sip:jan@${realm}`, [
  'Max-Forwards: 70',
  `Contact: <sip:jan@${STRANGER}:@PORT@>;expires=3600`,
  'User-Agent: a telephone',
  'Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, NOTIFY, REFER',
]);

describeNeeding(twoHostsNeeds, 'a datagram of another host', () => {
  let host: ToolHost;
  let network: TwoHosts;
  let server: Background;

  beforeAll(async () => {
    host = new ToolHost();
    const settings = [
      ...['KeyFile /etc/sr/key', 'ControlSocket /etc/sr/control.sock', `Realm ${realm}`],
      ...[`Listen udp:${SERVER}:5060`, 'RateLimit 100000/100000', 'DigestAlgorithms SHA-512-256 SHA-256 MD5'],
    ];
    writeFileSync(host.etc('config'), `${settings.join('\n')}\n`);
    network = await TwoHosts.make([SERVER], [STRANGER]);
    server = network.serve(host.command('root', 'sipctl', ['serve']), { env: host.environment() });
    await server.match(/event=ready/);
  });
  afterAll(async () => {
    await server.stop();
    await network.stop();
    host.remove();
  });

  async function answersTo(
    requests: readonly string[],
  ): Promise<[sent: number, answered: number, answers: string[]][]> {
    const file = host.etc('requests.json');
    writeFileSync(file, JSON.stringify(requests));
    const client = network.far([process.execPath, ANSWERS, SERVER, '5060', STRANGER, file]);
    const [, json = ''] = await client.match(/(\[.*\])\n/, 60_000);
    await client.stop();
    return JSON.parse(json);
  }
  const challenges = (answer = '') => answer.match(/^WWW-Authenticate: .*/gm)?.length;
  const tooShort = () =>
    JSON.parse(host.run('root', 'sipctl', ['stats', '--json']).stdout).refused['too-short'] as number;

  test.each([
    ['as short as can be', shortRequests, 'SIP/2.0 481'],
    ['cut off', cutRequests, 'SIP/2.0 400'],
    ['of RFC 4475', tortures, 'SIP/2.0 400'],
  ])('%s is answered by at most three times as much', { timeout: 90_000 }, async (_, requests, heard) => {
    const all = requests();
    const results = await answersTo(all);
    expect(results).toHaveLength(all.length);
    expect(results.some(([, , [answer = '']]) => answer.startsWith(heard))).toBe(true);
    expect(results.filter(([sent, answered]) => answered > 3 * sent)).toEqual([]);
  });

  test('that a phone would send gets every challenge; a shorter one the last, the shortest none', async () => {
    const before = tooShort();
    const shorter = short('REGISTER', `sip:jan@${realm}`, 'sip:a');
    const shortest = `OPTIONS sip:${SERVER} SIP/2.0\r\nv:SIP/2.0/UDP x\r\nf:a:b\r\nt:a:b\r\ni:1\r\nCSeq:1 OPTIONS\r\n\r\n`;
    const [phone, one, none] = await answersTo([ordinary, shorter, shortest]);
    expect(phone?.[2].map(challenges)).toEqual([3]);
    expect(one?.[2].map(challenges)).toEqual([1]);
    expect(one?.[2][0]).toContain('algorithm=MD5');
    expect(none?.[2]).toEqual([]);
    expect(tooShort()).toBe(before + 1);
  });
});

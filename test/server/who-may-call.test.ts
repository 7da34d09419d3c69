// DESIGN §4.7, the whole table: method × From × Route × To tag × Request-URI without credentials. Nothing leaves the
// server, nothing reaches a user, and every row has the answer that it must have.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fieldValues } from '../../src/message/fields.ts';
import type { Agent } from '../agent/agent.ts';
import { Phone, registeredPhone, SDP } from './phone.ts';
import { answersBefore, realm, TestServer } from './running-server.ts';
import { heardBy } from './victim.ts';

let server: TestServer;
let phone: Phone;
let attacker: Agent;
let victim: Agent;
/** The Route and the tags of a call that is going on. */
let real: { readonly route: string; readonly toTag: string };

beforeAll(async () => {
  server = await TestServer.start({ config: ['Domain example.com'] });
  phone = await registeredPhone(server);
  attacker = await server.agent();
  victim = await server.agent();
  const caller = new Phone(await server.agent(), 'jan');
  const calling = caller.invite(`sip:jan@${realm}`);
  await phone.answer(await phone.next('INVITE'), 200, { body: SDP });
  const established = await calling;
  await caller.confirm(established);
  await phone.next('ACK');
  real = {
    route: fieldValues(established, 'record-route')[0] as string,
    toTag: /;tag=(.+)/.exec(fieldValues(established, 'to')[0] as string)?.[1] as string,
  };
});

afterAll(() => server.stop());

const methods = [
  'INVITE',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'REFER',
  'INFO',
  'UPDATE',
  'PRACK',
  'BYE',
  'OPTIONS',
  'X-NEW',
  'ACK',
  'CANCEL',
] as const;

/** From, and what must come of it: one of ours is asked who he is, another is not served. */
const senders: readonly (readonly [string, string, 403 | 407])[] = [
  ['the owner', `sip:jan@${realm}`, 407],
  ['another user', `sip:eva@${realm}`, 407],
  ['nobody here', `sip:nosuch@${realm}`, 407],
  ['no user', `sip:${realm}`, 407],
  ['sips', `sips:jan@${realm}`, 407],
  ['our address', 'sip:jan@127.0.0.1', 407],
  ['a port', `sip:jan@${realm}:9`, 407],
  ['odd case', 'SIP:jan@SiP.tEsT', 407],
  ['a trailing dot', `sip:jan@${realm}.`, 407],
  ['escapes', `sip:%6aan@${realm}`, 407],
  ['another domain of ours', 'sip:jan@EXAMPLE.com', 407],
  ['localhost', 'sip:jan@localhost', 407],
  ['a foreign domain', 'sip:jan@elsewhere.example', 403],
  ['a domain below ours', `sip:jan@x.${realm}`, 403],
  ['our domain as the user part', `sip:${realm}@elsewhere.example`, 403],
  ['a number', 'tel:+49301234', 403],
  ['nobody at all', 'sip:anonymous@anonymous.invalid', 403],
];

const us = () => `<sip:127.0.0.1:${server.port};lr>`;
const them = () => `<sip:127.0.0.1:${victim.local.port};lr>`;
const signed = (token: string) => `<sip:127.0.0.1:${server.port};lr;sr=${token}>`;
const realToken = () => /;sr=([^>]+)/.exec(real.route)?.[1] as string;

const routes: readonly (readonly [string, () => string | undefined])[] = [
  ['none', () => undefined],
  ['us', us],
  ['us by name', () => `<sip:${realm};lr>`],
  ['us, foreign', () => `${us()}, ${them()}`],
  ['foreign', them],
  ['foreign without lr', () => them().replace(';lr', '')],
  ['us without lr, foreign', () => `${us().replace(';lr', '')}, ${them()}`],
  ['forged, foreign', () => `${signed('zzzzzz.AAAAAAAAAAAAAAAAAAAAAA')}, ${them()}`],
  ['a token of one dot, foreign', () => `${signed('.')}, ${them()}`],
  ['the token of another dialog', () => real.route],
  ['the token of another dialog, foreign', () => `${real.route}, ${them()}`],
  ['the token twice, foreign', () => `${real.route}, ${real.route}, ${them()}`],
  ['ours five times, foreign', () => [us(), us(), us(), us(), us(), them()].join(', ')],
];

const toTags: readonly (readonly [string, () => string])[] = [
  ['no To tag', () => ''],
  ['a random To tag', () => ';tag=xyz'],
  ['the To tag of a dialog', () => `;tag=${real.toTag}`],
];

const targets: readonly (readonly [string, () => string])[] = [
  ['a user', () => `sip:jan@${realm}`],
  ['foreign', () => `sip:x@127.0.0.1:${victim.local.port}`],
  ['ourselves', () => `sip:127.0.0.1:${server.port}`],
  ['a phone', () => phone.contact],
  ['the token as a strict router has it', () => `sip:127.0.0.1:${server.port};lr;sr=${realToken()}`],
];

/** The rule, as the issue has it: silence for ACK, 481 for a CANCEL of nothing, OPTIONS to ourselves are for anybody. */
function mustBe(method: string, target: string, from: 403 | 407): number {
  if (method === 'CANCEL') return 481;
  if (method === 'OPTIONS' && (target === 'ourselves' || target.startsWith('the token'))) return 200;
  return from;
}

describe.each(methods)('%s without credentials', (method) => {
  test.each(senders)('from %s', async (_, from, refusal) => {
    const wrong: string[] = [];
    const asked = routes.flatMap(([route, routeOf]) =>
      toTags.flatMap(([toTag, tagOf]) =>
        targets.map(async ([target, uriOf]) => {
          const requestUri = uriOf();
          const octets = attacker.format({
            method,
            requestUri,
            callId: `${Math.random()}@attacker`,
            fields: { From: `<${from}>;tag=a`, To: `<${requestUri}>${tagOf()}`, Route: routeOf() },
          });
          if (method === 'ACK') return attacker.sendRaw(octets);
          const { status } = await attacker.exchange(octets);
          const must = mustBe(method, target, refusal);
          if (status !== must) wrong.push(`${status}, not ${must}: Route ${route}, ${toTag}, to ${target}`);
        }),
      ),
    );
    await Promise.all(asked);
    expect(wrong).toEqual([]);
    expect(await answersBefore(attacker)).toEqual([]);
    expect(await heardBy(victim)).toEqual([]);
    expect(await heardBy(phone.agent)).toEqual([]);
  });
});

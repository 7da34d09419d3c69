// The 50 messages of RFC 4475 sent to a running server, over UDP and TCP: the answers that EXPECTED.md has, silence
// where it wants silence, and nothing to anybody else.

import { Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { formatCredentials } from '../../src/digest/challenge.ts';
import { fieldValue } from '../../src/message/fields.ts';
import type { Message, Response } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/parse.ts';
import type { Agent } from '../agent/agent.ts';
import { answerChallenge, findChallenge } from '../agent/authorization.ts';
import { answersBefore, answersTo, password, statusOf, TestServer } from './running-server.ts';

const directory = join(import.meta.dirname, '../message/rfc4475');
const read = (name: string): string => readFileSync(join(directory, `${name}.dat`), 'latin1');
const table = readFileSync(join(directory, 'EXPECTED.md'), 'utf8');
const rows = [...table.matchAll(/^\| (\w+) +\| [^|]+\| ([^|]+)\| [^|]+\| ([\d ]+)\|/gm)].map(
  ([, name = '', title = '', answers = '']) => ({
    name,
    title: title.trim(),
    right: answers.trim().split(' ').map(Number),
  }),
);

let server: TestServer;
const agents: Agent[] = [];
const destinations = new Set<string>();

beforeAll(async () => {
  const send = Socket.prototype.send;
  vi.spyOn(Socket.prototype, 'send').mockImplementation(function (this: Socket, ...args: unknown[]) {
    // (datagram, port, address, callback): every send of the server and of the agent.
    if (typeof args[2] === 'string') destinations.add(args[2]);
    return (send as (...all: unknown[]) => void).apply(this, args);
  });
  server = await TestServer.start({ config: ['Domain example.com'] });
});

afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.close()));
});

afterAll(async () => {
  await server.stop();
  vi.restoreAllMocks();
});

async function open(transport: 'udp' | 'tcp'): Promise<Agent> {
  const agent = await server.agent(transport);
  agents.push(agent);
  return agent;
}

/** Messages that leave a stream waiting for octets that never come: an answer to what follows is none to expect. */
const UNFINISHED = new Set(['clerr']);

/** What the server answers; a stream that cannot be followed it closes. */
async function answers(transport: 'udp' | 'tcp', name: string): Promise<string[]> {
  const agent = await open(transport);
  if (transport === 'udp') return answersTo(agent, read(name));
  await agent.sendRaw(read(name));
  const all: string[] = [];
  if (UNFINISHED.has(name)) {
    await answersBefore(await open('udp'));
  } else {
    all.push(
      ...((await Promise.race([answersBefore(agent).catch(() => []), agent.ended.then(() => [])])) ?? []),
    );
  }
  for (;;) {
    const received = await agent.nextMessage(1).catch(() => undefined);
    if (received === undefined) return all;
    all.push(received.octets);
  }
}

test('all 50 are in the table', () => {
  expect(rows.map(({ name }) => name)).toHaveLength(50);
});

describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  test.each(rows)('$name: $title', async ({ name, right }) => {
    const got = await answers(transport, name);
    // On a stream what stands behind a message is the next one: dblreq's INVITE, which is of a foreign domain.
    const [answer, ...more] = got;
    expect(more.map(statusOf)).toEqual(transport === 'tcp' && name === 'dblreq' ? [403] : []);
    // On a stream Content-Length must be there (RFC 3261 §18.3).
    const rightHere = transport === 'tcp' && name === 'inv2543' ? [400] : right;
    expect(rightHere).toContain(answer === undefined ? 0 : statusOf(answer));
    if (answer === undefined) return;
    expect(parseMessage(answer).type).toBe('response');
    expect(fieldValue(parseMessage(answer) as Message, 'call-id')).toBe(callIdOf(read(name)));
  });
});

/** The Call-ID as it stands there, whatever else is wrong with the message. */
function callIdOf(octets: string): string | undefined {
  return /^(?:call-id|i)[ \t]*:\s*([^\r]*)\r$/im.exec(octets)?.[1];
}

test('dblreq: one answer, and the INVITE behind the body is never looked at (§3.1.1.8)', async () => {
  const before = server.log().length;
  expect((await answers('udp', 'dblreq')).map(statusOf)).toEqual([401]);
  const heard = server.log().slice(before).join('\n');
  expect(heard).toContain('dblreq.0ha0isndaksdj99');
  expect(heard).not.toContain('dblreq.0ha0isnda977644900765');
});

test('bext01: 420 names the Proxy-Require tokens, in Unsupported (§3.3.5)', async () => {
  const [answer = ''] = await answers('udp', 'bext01');
  expect(statusOf(answer)).toBe(420);
  const unsupported = fieldValue(parseMessage(answer) as Response, 'unsupported');
  expect(unsupported).toBe('noProxiesSupportThis, norDoAnyProxiesSupportThis');
});

test('badvers: the version is refused with 505 (§3.1.2.16)', async () => {
  expect((await answers('udp', 'badvers')).map(statusOf)).toEqual([505]);
});

test('regaut01: an unknown scheme is challenged with Digest (§3.3.7)', async () => {
  const [answer = ''] = await answers('udp', 'regaut01');
  expect(findChallenge(parseMessage(answer) as Response)).toMatchObject({ realm: 'sip.test', stale: false });
});

test('badbranch: of two clients with the bare cookie as branch each is answered (§3.2.1)', async () => {
  const [one, other] = await Promise.all([open('udp'), open('udp')]);
  const octets = read('badbranch');
  const [first, second] = await Promise.all([answersTo(one, octets), answersTo(other, octets)]);
  expect([first.length, second.length]).toEqual([1, 1]);
});

test('zeromf: Max-Forwards 0 for a user is 483 (§3.3.11)', async () => {
  expect((await answers('udp', 'zeromf')).map(statusOf)).toEqual([483]);
});

test('nothing went anywhere but to those who asked, broadcast least of all (§3.3.10)', () => {
  expect([...destinations]).toEqual(['127.0.0.1']);
});

test('of all the strangers nobody left a trace in ~/.sr', () => {
  expect(server.usrloc()).toEqual([]);
  expect(server.log('internal-error')).toEqual([]);
});

describe('after authentication', () => {
  let own: TestServer;

  afterEach(() => own.stop());

  /** Sends the REGISTER with right credentials of `user`, whose account is the one served. */
  async function authenticated(name: string, user: string, username = user): Promise<string> {
    own = await TestServer.start({ config: ['Domain example.com'], user });
    const agent = await own.agent();
    const octets = read(name);
    const [challenged = ''] = await answersTo(agent, octets);
    const challenge = findChallenge(parseMessage(challenged) as Response);
    if (challenge === undefined) return challenged;
    const uri = 'sip:example.com';
    const credentials = answerChallenge(challenge, { username, password, method: 'REGISTER', uri });
    const [line, ...rest] = octets.split('\r\n');
    await agent.sendRaw([line, `Authorization: ${formatCredentials(credentials)}`, ...rest].join('\r\n'));
    return (await agent.nextMessage()).octets;
  }

  test('regbadct: a Contact with ? outside angle brackets is 400 and binds nothing (§3.1.2.13)', async () => {
    expect(await authenticated('regbadct', 'user')).toMatch(/^SIP\/2\.0 400 Bad Contact\r/);
    expect(own.usrloc()).toEqual([]);
  });

  test('unksm2: To of another scheme is 400, whoever asks (§3.3.4)', async () => {
    expect(statusOf(await authenticated('unksm2', 'watson'))).toBe(400);
    expect(own.usrloc()).toEqual([]);
  });

  test('cparam01: a parameter of the header field is not of the URI (§3.3.12)', async () => {
    expect(await authenticated('cparam01', 'watson')).toMatch(
      /^SIP\/2\.0 200 [\s\S]*\r\nContact: <sip:\+19725552222@gw1\.example\.net>;unknownparam;expires=3600\r\n/,
    );
    expect(own.usrloc()).toEqual([
      expect.stringMatching(/^<sip:\+19725552222@gw1\.example\.net>;unknownparam;sr-expires-at="/),
    ]);
  });

  test('cparam02: a parameter of the URI stays in it (§3.3.13)', async () => {
    expect(statusOf(await authenticated('cparam02', 'watson'))).toBe(200);
    expect(own.usrloc()).toEqual([
      expect.stringMatching(/^<sip:\+19725552222@gw1\.example\.net;unknownparam>;sr-expires-at="/),
    ]);
  });

  test('regescrt: an escaped header field stays in the stored URI (§3.3.14)', async () => {
    expect(statusOf(await authenticated('regescrt', 'user'))).toBe(200);
    expect(own.usrloc()).toEqual([
      expect.stringMatching(/^<sip:user@example\.com\?Route=%3Csip:sip\.example\.com%3E>;sr-expires-at="/),
    ]);
  });

  test('escnull: the escaped NUL reaches no path: a name that is no account is challenged again (§3.1.1.4)', async () => {
    expect(statusOf(await authenticated('escnull', 'watson', 'null-%00-null'))).toBe(401);
    expect(own.usrloc()).toEqual([]);
  });

  test('escnull: nor does it by a real NUL in the username: 400 (§3.1.1.4)', async () => {
    expect(statusOf(await authenticated('escnull', 'watson', 'null-\0-null'))).toBe(400);
  });

  test('escnull: and with the credentials of another account it is 403 (§3.1.1.4)', async () => {
    expect(statusOf(await authenticated('escnull', 'watson'))).toBe(403);
    expect(own.usrloc()).toEqual([]);
  });
});

// What a nonce is good for (DESIGN §4.2): a replayed, forged or flipped one never lets in, one of ours that is spent, old
// or somebody else's is answered stale=true, and neither a restart nor a reload makes a spent one good again.

import { afterEach, describe, expect, test } from 'vitest';
import { type Challenge, formatCredentials, parseChallenge } from '../../src/digest/challenge.ts';
import { fieldValue } from '../../src/message/fields.ts';
import { type Agent, createAgent, type RegisterOptions, type Registration } from '../agent/agent.ts';
import { answerChallenge, findChallenge } from '../agent/authorization.ts';
import { password, realm, TestServer, type TestServerOptions } from './running-server.ts';

let server: TestServer;
let agent: Agent;

async function start(options: TestServerOptions = {}): Promise<void> {
  server = await TestServer.start(options);
  agent = await server.agent();
}

afterEach(() => server.stop());

/** A nonce of the server, with its challenge. */
async function challenge(by = agent): Promise<Challenge> {
  const { first } = await server.register(by, { password: 'wrong' });
  return findChallenge(first) as Challenge;
}

/** Right credentials over a nonce; `nc` undefined is the form without qop. */
function credentials(of: Challenge, nc: number | undefined): string {
  return formatCredentials(
    answerChallenge(of, {
      username: 'jan',
      password,
      method: 'REGISTER',
      uri: `sip:${realm}`,
      nc,
      qop: nc === undefined ? false : undefined,
    }),
  );
}

/** Sends one REGISTER with this Authorization and nothing after it. */
function send(authorization: string, options: Partial<RegisterOptions> = {}, by = agent) {
  return server.register(by, { authorization, ...options });
}

/** `200`, `401`, or `401 stale`. */
function outcome({ response, status }: Registration): string {
  const asked = parseChallenge(fieldValue(response, 'www-authenticate') ?? '');
  return asked?.stale ? `${status} stale` : `${status}`;
}

describe('a nonce count', () => {
  test('that was used is stale, again and again, and binds nothing', async () => {
    await start();
    const sent = credentials(await challenge(), 1);
    expect(outcome(await send(sent))).toBe('200');
    const bound = server.usrloc();
    const failures = server.log('auth-failed');
    for (let round = 0; round < 5; round++) expect(outcome(await send(sent))).toBe('401 stale');
    expect(server.usrloc()).toEqual(bound);
    expect(server.log('auth-stale')).toHaveLength(5);
    expect(server.log('auth-failed')).toEqual(failures);
  });

  test('of a captured message, sent again by anybody on any transport, is not let in', async () => {
    await start();
    const { log } = await server.register(agent);
    const captured = log[2]?.octets as string;
    for (const transport of ['udp', 'tcp'] as const) {
      const thief = await server.agent(transport);
      const other = captured
        .replace('SIP/2.0/UDP', `SIP/2.0/${transport.toUpperCase()}`)
        .replace(/branch=[^;]+/, `branch=z9hG4bK${transport}`)
        .replace(/CSeq: \d+/, 'CSeq: 99');
      expect((await thief.exchange(other)).status).toBe(401);
    }
    expect(server.usrloc()).toHaveLength(1);
  });

  test('may come out of order within 64, each once', async () => {
    await start();
    const asked = await challenge();
    for (const nc of [10, 5, 9, 1, 70, 7, 8])
      expect([nc, outcome(await send(credentials(asked, nc)))]).toEqual([nc, '200']);
    for (const nc of [10, 5, 9, 1, 70, 7, 8, 6, 0])
      expect([nc, outcome(await send(credentials(asked, nc)))]).toEqual([nc, '401 stale']);
    expect(outcome(await send(credentials(asked, 0xffffffff)))).toBe('200');
    expect(outcome(await send(credentials(asked, 71)))).toBe('401 stale');
  });

  test('that was used is still used after a reload', async () => {
    await start();
    const asked = await challenge();
    expect(outcome(await send(credentials(asked, 1)))).toBe('200');
    expect(outcome(await send(credentials(asked, undefined)))).toBe('401 stale');
    server.reload();
    expect(outcome(await send(credentials(asked, 1)))).toBe('401 stale');
    server.reload(['NonceLifetime 600']);
    expect(outcome(await send(credentials(asked, 1)))).toBe('401 stale');
  });

  test.each([
    ['that fails because the lock is held', { contact: '<sip:jan@127.0.0.1:5071>' }],
    ['that only asks', { contact: null }],
  ])('binds nothing else while its own request %s waits', async (_, first) => {
    await start();
    await server.register(agent);
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    // The lock comes free when the first two have given up, or just before: the exact time is luck.
    for (const heldMs of [215, 235, 245, 250]) {
      for (const nc of [1, undefined]) {
        const [before, asked] = [await challenge(), await challenge()];
        const sent = credentials(asked, nc);
        const [other, thief] = [await server.agent(), await server.agent()];
        const release = server.takeLock();
        // Another of jan's requests waits already, so that everything queues up behind it.
        const ahead = server.register(other, { answering: before, contact: '<sip:jan@127.0.0.1:5070>' });
        const released = pause(heldMs).then(release);
        await pause(30);
        const waiting = send(sent, first);
        await pause(30);
        const stolen = send(sent, { contact: '<sip:evil@127.0.0.1:6666>', callId: 'thief' }, thief);
        expect([200, 500]).toContain((await ahead).status);
        expect([200, 500]).toContain((await waiting).status);
        expect(outcome(await stolen)).toBe('401 stale');
        await released;
        expect(server.read('usrloc')).not.toContain('evil');
      }
    }
    expect((await server.register(agent, { contact: null })).response.octets).not.toContain('evil');
  });

  test('without qop is one for the whole nonce', async () => {
    await start();
    const asked = await challenge();
    expect(outcome(await send(credentials(asked, undefined)))).toBe('200');
    expect(outcome(await send(credentials(asked, undefined)))).toBe('401 stale');
    expect(outcome(await send(credentials(asked, 1)))).toBe('401 stale');
  });

  test('stays used whatever wrong credentials come in between', async () => {
    await start();
    const asked = await challenge();
    const captured = [credentials(asked, 1), credentials(asked, 2)];
    for (const sent of captured) expect(outcome(await send(sent))).toBe('200');
    const wrong = (nc: number | undefined) =>
      send(credentials(asked, nc).replace(/response="\w+"/, `response="${'0'.repeat(32)}"`));
    for (const ncs of [
      [0xffffffff, undefined],
      [undefined],
      [70, undefined, 1],
      [3, 1, 2, undefined, undefined],
    ]) {
      for (const nc of ncs) expect(await wrong(nc)).toMatchObject({ status: 401 });
      for (const sent of captured) expect([ncs, outcome(await send(sent))]).toEqual([ncs, '401 stale']);
    }
  });

  test('of a wrong password spends nothing', async () => {
    await start();
    const asked = await challenge();
    await server.register(agent, { answering: asked, password: 'wrong' });
    expect(outcome(await send(credentials(asked, 1)))).toBe('200');
  });

  test('of the losers in a race is stale: one message, many times at once, lets in once', async () => {
    await start();
    const sent = credentials(await challenge(), 1);
    const agents = await Promise.all(Array.from({ length: 20 }, () => server.agent()));
    const outcomes = await Promise.all(
      agents.map(async (each) => outcome(await send(sent, { contact: null }, each))),
    );
    expect(outcomes.filter((one) => one === '200')).toHaveLength(1);
    expect(outcomes.filter((one) => one === '401 stale')).toHaveLength(19);
  });
});

describe('a nonce that is not ours', () => {
  test('never lets in, whichever of its characters is another, and is no stale one', async () => {
    await start();
    const asked = await challenge();
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (let at = 0; at < asked.nonce.length; at++) {
      const was = alphabet.indexOf(asked.nonce[at] as string);
      // The neighbour differs in the lowest bit, which the last character of a coding may drop; the other in the highest.
      for (const flip of [1, 32]) {
        const nonce = asked.nonce.slice(0, at) + alphabet[was ^ flip] + asked.nonce.slice(at + 1);
        const flipped = await send(credentials({ ...asked, nonce }, 1));
        expect([at, flip, outcome(flipped)]).toEqual([at, flip, '401']);
      }
    }
    expect(server.usrloc()).toEqual([]);
    expect(outcome(await send(credentials(asked, 1)))).toBe('200');
  });

  test.each([
    ['another of the same length', (nonce: string) => 'A'.repeat(nonce.length)],
    ['a longer one', (nonce: string) => `${nonce}A`],
    ['a shorter one', (nonce: string) => nonce.slice(0, -1)],
    ['one with padding', (nonce: string) => `${nonce}=`],
    ['one in the other base64 alphabet', (nonce: string) => nonce.replace(/./, '+')],
    ['one with a blank', (nonce: string) => ` ${nonce}`],
    ['octets above ASCII', (nonce: string) => `\xff${nonce.slice(1)}`],
    ['two, the halves exchanged', (nonce: string) => nonce.slice(24) + nonce.slice(0, 24)],
  ])('%s', async (_, forge) => {
    await start();
    const asked = await challenge();
    const forged = await send(credentials({ ...asked, nonce: forge(asked.nonce) }, 1));
    expect(outcome(forged)).toBe('401');
    expect(server.usrloc()).toEqual([]);
  });

  test('one of a server with another key', async () => {
    await start();
    const other = server;
    const foreign = await challenge();
    await start();
    expect(outcome(await send(credentials(foreign, 1)))).toBe('401');
    await other.stop();
  });

  test('parts of two good ones make no third', async () => {
    await start();
    const [one, two] = [await challenge(), await challenge()];
    for (const at of [1, 8, 16, 27]) {
      const nonce = one.nonce.slice(0, at) + two.nonce.slice(at);
      if (nonce === one.nonce || nonce === two.nonce) continue;
      expect(outcome(await send(credentials({ ...one, nonce }, 1)))).toBe('401');
    }
  });
});

describe('a nonce of ours', () => {
  test('given to another address is stale here and good there', async () => {
    await start();
    const there = await createAgent({
      transport: 'udp',
      server: agent.server,
      localAddress: '127.0.0.2',
    });
    const asked = await challenge(there);
    const sent = credentials(asked, 1);
    expect(outcome(await send(sent))).toBe('401 stale');
    expect(outcome(await send(sent, {}, there))).toBe('200');
    expect(outcome(await send(sent))).toBe('401 stale');
    await there.close();
  });

  test('holds over ports and transports of one address', async () => {
    await start();
    const asked = await challenge();
    expect(outcome(await send(credentials(asked, 1), {}, await server.agent('tcp')))).toBe('200');
    expect(outcome(await send(credentials(asked, 2), {}, await server.agent()))).toBe('200');
  });

  test('is stale after NonceLifetime, and the phone goes on by itself', async () => {
    await start({ config: ['NonceLifetime 1'] });
    const asked = await challenge();
    expect(outcome(await send(credentials(asked, 1)))).toBe('200');
    await expect
      .poll(async () => outcome(await send(credentials(asked, 2 + Math.floor(performance.now())))), {
        interval: 50,
        timeout: 3000,
      })
      .toBe('401 stale');
    expect((await server.register(agent, { answering: asked, nc: 3 })).status).toBe(200);
  });

  test('is stale after a restart, used or not, and nothing of it lets in', async () => {
    await start();
    const [used, fresh] = [await challenge(), await challenge()];
    expect(outcome(await send(credentials(used, 1)))).toBe('200');
    await server.restart();
    for (const asked of [used, fresh])
      for (const nc of [1, 2, undefined])
        expect(outcome(await send(credentials(asked, nc)))).toBe('401 stale');
    expect((await server.register(agent, { answering: fresh })).status).toBe(200);
  });

  test('is stale with wrong credentials too: nothing is told of the password', async () => {
    await start();
    const asked = await challenge();
    await server.restart();
    const { response } = await server.register(agent, {
      authorization: credentials(asked, 1).replace(/response="\w{32}"/, `response="${'0'.repeat(32)}"`),
    });
    expect(fieldValue(response, 'www-authenticate')).toContain('stale=true');
  });

  test('is never given twice', async () => {
    await start();
    const nonces = new Set<string>();
    for (let round = 0; round < 200; round++) nonces.add((await challenge()).nonce);
    expect(nonces.size).toBe(200);
  });
});

test('credentials made for REGISTER let no INVITE in, nor the other way (§22.3)', async () => {
  await start();
  const asked = await challenge();
  const fields = { From: `<sip:jan@${realm}>;tag=a`, 'Proxy-Authorization': credentials(asked, 1) };
  const invite = await agent.request({ method: 'INVITE', requestUri: `sip:${realm}`, fields });
  expect(invite.status).toBe(407);
});

import { afterEach, describe, expect, test } from 'vitest';
import { createDnsClient, type DnsClient } from '../../src/transport/dns-client.ts';
import { freePort } from '../host/free-port.ts';
import { openResponder, type Reply, type Responder } from './dns-responder.ts';

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});

async function responder(answer: (question: string) => Reply | undefined): Promise<Responder> {
  const made = await openResponder(answer);
  opened.push(made);
  return made;
}

function client(servers: readonly string[] | (() => readonly string[]), timeoutMs = 3000): DnsClient {
  const made = createDnsClient({
    servers: typeof servers === 'function' ? servers : () => servers,
    timeoutMs,
  });
  opened.push(made);
  return made;
}

/** What a promise brought, and after how many milliseconds. */
async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const began = performance.now();
  const value = await work();
  return [value, performance.now() - began];
}

const dead = () => responder(() => undefined);
const live = () => responder(() => ({ addresses: ['192.0.2.1'] }));
const found = { records: ['192.0.2.1'], ttl: 60 };
const unanswered = { records: [], ttl: 3 };

describe('one server', () => {
  test('its records hold for their TTL, 5 seconds at least and an hour at most', async () => {
    const replies: Record<string, Reply> = {
      'A short.example': { addresses: ['192.0.2.1'], ttl: 1 },
      'A usual.example': { addresses: ['192.0.2.1', '192.0.2.2'], ttl: 300 },
      'AAAA long.example': { addresses: ['2001:db8::1'], ttl: 1_000_000 },
    };
    const { ask } = client([(await responder((question) => replies[question])).server]);
    expect(await ask('A', 'short.example')).toEqual({ records: ['192.0.2.1'], ttl: 5 });
    expect(await ask('A', 'usual.example')).toEqual({ records: ['192.0.2.1', '192.0.2.2'], ttl: 300 });
    expect(await ask('AAAA', 'long.example')).toEqual({ records: ['2001:db8::1'], ttl: 3600 });
  });

  test('that there is no such name, or no such record, holds for 10 seconds', async () => {
    const server = await responder((question) => (question.startsWith('A ') ? { rcode: 3 } : {}));
    const { ask } = client([server.server]);
    expect(await ask('A', 'example.org')).toEqual({ records: [], ttl: 10 });
    expect(await ask('SRV', 'example.org')).toEqual({ records: [], ttl: 10 });
    expect(server.asked).toEqual(['A example.org', 'SRV example.org']);
  });

  test('a lost datagram is sent again', async () => {
    let times = 0;
    const server = await responder(() => (++times === 1 ? undefined : { addresses: ['192.0.2.1'] }));
    expect(await client([server.server]).ask('A', 'example.org')).toEqual(found);
    expect(times).toBe(2);
  });

  test('a slow one is waited for, and its first answer counts though it was asked again', async () => {
    const server = await responder(() => ({ addresses: ['192.0.2.1'], delayMs: 1600 }));
    const [answer, ms] = await timed(() => client([server.server]).ask('A', 'example.org'));
    expect(answer).toEqual(found);
    expect(server.asked).toHaveLength(3);
    expect(ms).toBeLessThan(2050);
  });

  test('a dead one costs the time it may cost, and is remembered for 3 seconds only', async () => {
    const { server } = await dead();
    const [answer, ms] = await timed(() => client([server], 700).ask('A', 'example.org'));
    expect(answer).toEqual(unanswered);
    expect(ms).toBeGreaterThan(690);
    expect(ms).toBeLessThan(2000);
  });

  test('a port where nothing listens is an answer at once', async () => {
    const [answer, ms] = await timed(async () =>
      client([`127.0.0.1:${await freePort()}`]).ask('A', 'example.org'),
    );
    expect(answer).toEqual(unanswered);
    expect(ms).toBeLessThan(500);
  });

  test('a name that node:dns does not take is nowhere', async () => {
    const { ask } = client([(await live()).server]);
    expect(await ask('A', `${'a'.repeat(70)}.example`)).toEqual(unanswered);
    expect(await ask('A', 'a..b')).toEqual(unanswered);
  });
});

describe('several servers', () => {
  test('a dead one costs half a second once, then the live one is asked first', async () => {
    const [first, second] = [await dead(), await live()];
    const { ask } = client([first.server, second.server]);
    const [answer, ms] = await timed(() => ask('A', 'example.org'));
    expect(answer).toEqual(found);
    expect(ms).toBeGreaterThan(490);
    expect(ms).toBeLessThan(1400);
    expect(await ask('A', 'example.net')).toEqual(found);
    expect(first.asked).toEqual(['A example.org']);
  });

  test.each([2, 5])('one that fails (rcode %i) is passed over at once', async (rcode) => {
    const failing = await responder(() => ({ rcode }));
    const [answer, ms] = await timed(async () =>
      client([failing.server, (await live()).server]).ask('A', 'example.org'),
    );
    expect(answer).toEqual(found);
    expect(ms).toBeLessThan(450);
  });

  test('the question ends when all have failed, before its time is over', async () => {
    const failing = [await responder(() => ({ rcode: 2 })), await responder(() => ({ rcode: 5 }))];
    const [answer, ms] = await timed(() =>
      client(failing.map(({ server }) => server)).ask('A', 'example.org'),
    );
    expect(answer).toEqual(unanswered);
    expect(ms).toBeLessThan(450);
    expect(failing.map(({ asked }) => asked.length)).toEqual([1, 1]);
  });

  test('one that says there is no such name is believed', async () => {
    const other = await live();
    const { ask } = client([(await responder(() => ({ rcode: 3 }))).server, other.server]);
    expect(await ask('A', 'example.org')).toEqual({ records: [], ttl: 10 });
    expect(other.asked).toEqual([]);
  });

  test('others are asked from then on when the configuration names others', async () => {
    const [one, other] = [await dead(), await live()];
    let servers: readonly string[] = [one.server];
    const { ask } = client(() => servers, 800);
    const before = ask('A', 'example.org');
    servers = ['not a server', other.server];
    expect(await ask('A', 'example.org')).toEqual(found);
    expect(await before).toEqual(unanswered);
  });
});

test('without any server there is no answer, at once, and nothing to remember', async () => {
  expect(await client([]).ask('A', 'example.org')).toEqual({ records: [], ttl: 0 });
});

test('closing ends what is open', async () => {
  const { server } = await dead();
  const made = client([server]);
  const asking = timed(() => made.ask('A', 'example.org'));
  made.close();
  expect((await asking)[0]).toEqual(unanswered);
  expect((await asking)[1]).toBeLessThan(450);
  expect(await made.ask('A', 'example.org')).toEqual({ records: [], ttl: 0 });
});

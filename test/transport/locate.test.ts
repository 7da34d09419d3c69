import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLocator, type Locator, type LocatorOptions } from '../../src/transport/locate.ts';
import { openResponder, type Reply, type Responder } from './dns-responder.ts';

const opened: { close(): void }[] = [];
let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sr-locate-'));
  writeFileSync(join(directory, 'hosts'), '192.0.2.9 pbx.example.org\n');
});
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
  rmSync(directory, { recursive: true });
});

async function responder(answer: (question: string) => Reply | undefined): Promise<Responder> {
  const made = await openResponder(answer);
  opened.push(made);
  return made;
}

function locator(options: Partial<LocatorOptions>): Locator {
  const made = createLocator({
    transports: () => new Set(['udp4', 'udp6', 'tcp4', 'tcp6'] as const),
    hostsFile: join(directory, 'hosts'),
    resolvConf: join(directory, 'resolv.conf'),
    ...options,
  });
  opened.push(made);
  return made;
}

const hop = (address: string, port = 5060) => ({ transport: 'udp', address, port });
const addressOnly = (question: string): Reply =>
  question.startsWith('A ') ? { addresses: ['192.0.2.1'] } : {};

async function millisecondsOf(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

describe('an answer at once', () => {
  test('for what needs no DNS', async () => {
    const dead = await responder(() => undefined);
    const { locate } = locator({ resolver: [dead.server] });
    expect(locate({ host: '[::1]', port: 5070 })).toEqual([hop('::1', 5070)]);
    expect(locate({ host: 'pbx.example.org' })).toEqual([hop('192.0.2.9')]);
    expect(locate({ host: 'localhost', port: 5080 })).toEqual([hop('127.0.0.1', 5080), hop('::1', 5080)]);
    expect(locate({ host: 'a.invalid' })).toEqual([]);
    expect(locate({ host: 'example.org', transport: 'tls' })).toEqual([]);
    expect(dead.asked).toEqual([]);
  });

  test('for what DNS said a moment ago, also where it said that there is nothing', async () => {
    const server = await responder((question) =>
      question.includes('gone') ? { rcode: 3 } : addressOnly(question),
    );
    const { locate } = locator({ resolver: [server.server] });
    expect(await locate({ host: 'example.org' })).toEqual([hop('192.0.2.1')]);
    expect(await locate({ host: 'gone.example.org' })).toEqual([]);
    const asked = server.asked.length;
    expect(locate({ host: 'example.org' })).toEqual([hop('192.0.2.1')]);
    expect(locate({ host: 'example.org', port: 5070 })).toEqual([hop('192.0.2.1', 5070)]);
    expect(locate({ host: 'gone.example.org' })).toEqual([]);
    expect(server.asked).toHaveLength(asked);
  });
});

test('a name without services takes two rounds of questions, each put once for all who ask', async () => {
  const server = await responder(addressOnly);
  const { locate } = locator({ resolver: [server.server] });
  const answers = await Promise.all(Array.from({ length: 20 }, () => locate({ host: 'example.org' })));
  expect(answers).toEqual(answers.map(() => [hop('192.0.2.1')]));
  expect(server.asked.slice(0, 3).sort()).toEqual([
    'NAPTR example.org',
    'SRV _sip._tcp.example.org',
    'SRV _sip._udp.example.org',
  ]);
  expect(server.asked.slice(3).sort()).toEqual(['A example.org', 'AAAA example.org']);
});

test('the servers of resolv.conf(5) are asked where no Resolver is given, and without any there is nothing', async () => {
  const { locate } = locator({});
  expect(await millisecondsOf(() => locate({ host: 'example.org' }))).toBeLessThan(400);
  expect(await locate({ host: 'example.org' })).toEqual([]);
  writeFileSync(join(directory, 'resolv.conf'), 'nameserver 127.0.0.77\n');
  expect(await locator({ timeoutMs: 500 }).locate({ host: 'example.org' })).toEqual([]);
});

describe('dead and slow servers', () => {
  test('a dead one costs three seconds, and only those who ask', async () => {
    const { server } = await responder(() => undefined);
    const { locate } = locator({ resolver: [server] });
    const asking = Promise.resolve(locate({ host: 'example.org' })).then((hops) => hops.length);
    expect(locate({ host: '192.0.2.1' })).toEqual([hop('192.0.2.1')]);
    const ms = await millisecondsOf(() => asking);
    expect(await asking).toBe(0);
    expect(ms).toBeGreaterThan(2900);
    expect(ms).toBeLessThan(4000);
  });

  test('one that never answers for NAPTR or SRV still leaves time for addresses', async () => {
    const { server } = await responder((question) =>
      question.startsWith('A') ? addressOnly(question) : undefined,
    );
    const { locate } = locator({ resolver: [server], timeoutMs: 800 });
    expect(await locate({ host: 'example.org' })).toEqual([hop('192.0.2.1')]);
  });

  test('one that never answers for AAAA costs little once there is an address', async () => {
    const { server } = await responder((question) =>
      question.startsWith('AAAA') ? undefined : addressOnly(question),
    );
    const { locate } = locator({ resolver: [server] });
    const ms = await millisecondsOf(async () =>
      expect(await locate({ host: 'example.org', port: 5070 })).toEqual([hop('192.0.2.1', 5070)]),
    );
    expect(ms).toBeGreaterThan(290);
    expect(ms).toBeLessThan(1500);
  });

  test('what comes too late for one is there for the next', async () => {
    const { server, asked } = await responder((question) =>
      question.startsWith('AAAA')
        ? { addresses: ['2001:db8::1'] }
        : { addresses: ['192.0.2.1'], delayMs: 480 },
    );
    const { locate } = locator({ resolver: [server] });
    expect(await locate({ host: 'example.org', port: 5070 })).toEqual([hop('2001:db8::1', 5070)]);
    expect(await locate({ host: 'example.org', port: 5070 })).toEqual([
      hop('192.0.2.1', 5070),
      hop('2001:db8::1', 5070),
    ]);
    expect(asked.filter((question) => question === 'AAAA example.org')).toHaveLength(1);
  });

  test('closing ends what is looked up', async () => {
    const { server } = await responder(() => undefined);
    const made = locator({ resolver: [server] });
    const asking = made.locate({ host: 'example.org' });
    const ms = await millisecondsOf(() => {
      made.close();
      return asking;
    });
    expect(await asking).toEqual([]);
    expect(ms).toBeLessThan(1000);
  });
});

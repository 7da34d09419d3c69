import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNgClient, type NgClient, type NgClientOptions } from '../../src/media/ng-client.ts';
import { NgServer } from './ng-server.ts';

const ok = 'd6:result2:oke';
const ping = { command: 'ping' };

let server: NgServer;
let client: NgClient;
let faults: string[];

beforeEach(async () => {
  server = await NgServer.open();
  faults = [];
  client = newClient({});
});

afterEach(async () => {
  await client.close();
  await server.close();
});

function newClient(options: Partial<NgClientOptions>): NgClient {
  const onFault = (why: string) => faults.push(why);
  return createNgClient({ address: '127.0.0.1', port: server.port, onFault, ...options });
}

describe('the ng client', () => {
  test('sends a cookie and a dictionary, and takes the answer of that cookie', async () => {
    const [first, second] = [client.request(ping), client.request({ command: 'list' })];
    const [one, other] = [await server.command(0), await server.command(1)];
    expect(one.command).toBe('d7:command4:pinge');
    expect(other.cookie).not.toBe(one.cookie);
    other.answer('d6:result5:othere');
    one.answer(ok);
    expect(await first).toEqual({ type: 'answered', answer: { result: 'ok' } });
    expect(await second).toEqual({ type: 'answered', answer: { result: 'other' } });
  });

  test('another client uses other cookies: rtpengine knows them without their senders', async () => {
    const another = newClient({});
    void client.request(ping);
    void another.request(ping);
    expect((await server.command(0)).cookie).not.toBe((await server.command(1)).cookie);
    await another.close();
  });

  test('sends the very same again after 150 ms and 300 ms more', async () => {
    const began = performance.now();
    const outcome = client.request(ping);
    const first = await server.datagram(0);
    const second = await server.datagram(1);
    expect(performance.now() - began).toBeGreaterThanOrEqual(145);
    const third = await server.datagram(2);
    expect(performance.now() - began).toBeGreaterThanOrEqual(445);
    expect([second.cookie, second.command]).toEqual([first.cookie, first.command]);
    expect([third.cookie, third.command]).toEqual([first.cookie, first.command]);
    third.answer(ok);
    expect((await outcome).type).toBe('answered');
    expect(faults).toEqual([]);
  });

  test('sends nothing again once answered, and takes one answer only', async () => {
    const outcome = client.request(ping);
    const first = await server.command(0);
    first.answer(ok);
    first.answer('d6:result5:othere');
    expect(await outcome).toEqual({ type: 'answered', answer: { result: 'ok' } });
    const count = server.received.length;
    // The next one fails after any repetition of the first.
    const short = newClient({ timeoutMs: 300 });
    await short.request(ping);
    await short.close();
    const later = server.received.slice(count).map(({ cookie }) => cookie);
    expect(later.length).toBeGreaterThan(0);
    expect(later).not.toContain(first.cookie);
  });

  test('fails at the deadline; the fault is told once until an answer comes', async () => {
    await client.close();
    client = newClient({ timeoutMs: 100 });
    const began = performance.now();
    expect(await client.request(ping)).toEqual({
      type: 'failed',
      why: 'rtpengine did not answer within 100 ms',
    });
    expect(performance.now() - began).toBeLessThan(400);
    await client.request(ping);
    expect(faults).toEqual(['rtpengine did not answer within 100 ms']);
    const answered = client.request(ping);
    (await server.command(2)).answer(ok);
    expect((await answered).type).toBe('answered');
    await client.request(ping);
    expect(faults.length).toBe(2);
  });

  test('takes no answer from another port, nor one of another cookie', async () => {
    const outcome = client.request(ping);
    const { cookie, from, answer } = await server.command(0);
    const stranger = createSocket('udp4').bind(0, '127.0.0.1');
    await once(stranger, 'listening');
    const sent = (text: string) =>
      new Promise((resolve) => stranger.send(text, from.port, from.address, resolve));
    await sent(`${cookie} d6:result6:forgede`);
    stranger.close();
    answer('');
    const other = client.request(ping);
    const next = await server.command(1);
    next.answer(ok);
    expect(await other).toEqual({ type: 'answered', answer: { result: 'ok' } });
    expect(await outcome).toEqual({ type: 'failed', why: 'the answer of rtpengine is unreadable' });
  });

  test.each(['', 'x', '2:ok', 'l2:oke', 'd6:result2:ok'])('an answer of %j is unreadable', async (text) => {
    const outcome = client.request(ping);
    (await server.command(0)).answer(text);
    expect(await outcome).toEqual({ type: 'failed', why: 'the answer of rtpengine is unreadable' });
  });

  test('refuses what no datagram holds, and more than a thousand at once', async () => {
    expect(await client.request({ sdp: 'x'.repeat(65_500) })).toEqual({
      type: 'failed',
      why: 'the command is longer than a datagram',
    });
    const waiting = Array.from({ length: 1000 }, () => client.request(ping));
    expect(await client.request(ping)).toEqual({ type: 'failed', why: '1000 commands wait for rtpengine' });
    await client.close();
    expect(new Set((await Promise.all(waiting)).map(({ type }) => type))).toEqual(new Set(['failed']));
  });

  test('closing fails what is under way, and what comes later', async () => {
    const outcome = client.request(ping);
    await server.command(0);
    await client.close();
    await client.close();
    expect(await outcome).toEqual({ type: 'failed', why: 'the client is closed' });
    expect(await client.request(ping)).toEqual({ type: 'failed', why: 'the client is closed' });
    expect(faults).toEqual([]);
  });

  test('says why nothing could be sent', async () => {
    await client.close();
    // Nobody may send to a broadcast address unasked.
    client = newClient({ address: '255.255.255.255', timeoutMs: 50 });
    const outcome = await client.request(ping);
    expect(outcome).toMatchObject({ type: 'failed', why: expect.stringContaining('EACCES') });
  });
});

import { describe, expect, test } from 'vitest';
import type { Request, Response } from '../../src/message/message.ts';
import { createField } from '../../src/message/response.ts';
import type { ClientUser } from '../../src/transaction/layer.ts';
import { type RequestParts, reparse, request, respondTo, station, testFlow } from './station.ts';

/** A layer that sent one request, and what its user was told. */
function begin(parts: RequestParts, reliable = false) {
  const { layer, clock, errors } = station();
  const flow = testFlow(reliable);
  const told: (number | string)[] = [];
  const user: ClientUser = {
    onResponse: (response: Response) => told.push(response.status),
    onTimeout: () => told.push('timeout'),
    onTransportError: (error) => told.push(error.message),
  };
  const { message } = request(parts);
  const transaction = layer.sendRequest(message, flow, user);
  const receive = (status: number, to: Request = message) => {
    const { message: response, head } = respondTo(to, status);
    return layer.receiveResponse(response, head);
  };
  const methods = () => flow.lines().map((line) => line.slice(0, line.indexOf(' ')));
  return { layer, clock, errors, flow, told, message, transaction, receive, methods };
}

describe('non-INVITE client transaction (§17.1.2)', () => {
  test('retransmits over UDP at T1, doubling up to T2, and times out with timer F', () => {
    const { clock, flow, told, layer } = begin({});
    for (const [ms, count] of [
      [510, 2],
      [1010, 3],
      [2020, 4],
      [4040, 5],
      [4040, 6],
    ] as const) {
      clock.advance(ms);
      expect(flow.sent).toHaveLength(count);
    }
    clock.advance(60_000);
    expect([flow.sent.length, told, layer.size(), clock.calls()]).toEqual([11, ['timeout'], 0, 0]);
    expect(new Set(flow.sent).size).toBe(1);
  });

  test('retransmits at T2 after a provisional response', () => {
    const { clock, flow, receive, told } = begin({});
    receive(100);
    clock.advance(510);
    expect(flow.sent).toHaveLength(2);
    clock.advance(3900);
    expect(flow.sent).toHaveLength(2);
    clock.advance(150);
    expect([flow.sent.length, told]).toEqual([3, [100]]);
  });

  test('gives the first final response to the user and absorbs its copies until timer K', () => {
    const { clock, receive, told, layer, flow } = begin({});
    expect([receive(200), receive(200), receive(100)]).toEqual([true, true, true]);
    clock.advance(4900);
    expect([told, layer.size(), flow.sent.length]).toEqual([[200], 1, 1]);
    clock.advance(200);
    expect([layer.size(), receive(200)]).toEqual([0, false]);
  });

  test('over TCP sends once, and ends with the final response (timer K is 0)', () => {
    const { clock, receive, told, layer, flow } = begin({}, true);
    clock.advance(20_000);
    receive(404);
    expect([told, layer.size(), flow.sent.length, clock.calls()]).toEqual([[404], 0, 1, 1]);
  });

  test('over TCP times out with timer F', () => {
    const { clock, told, layer } = begin({}, true);
    clock.advance(32_300);
    expect([told, layer.size()]).toEqual([['timeout'], 0]);
  });

  test('ends on a transport error', () => {
    const { flow, told, layer, clock } = begin({});
    flow.fail();
    clock.advance(60_000);
    expect([told, layer.size(), flow.sent.length]).toEqual([['no route'], 0, 1]);
  });
});

describe('INVITE client transaction (§17.1.1, RFC 6026)', () => {
  const invite = { method: 'INVITE' };

  test('retransmits over UDP at T1, doubling without end, and times out with timer B', () => {
    const { clock, flow, told, layer } = begin(invite);
    for (const [ms, count] of [
      [510, 2],
      [1010, 3],
      [2020, 4],
      [4040, 5],
      [8080, 6],
      [16_200, 7],
    ] as const) {
      clock.advance(ms);
      expect(flow.sent).toHaveLength(count);
    }
    clock.advance(60_000);
    expect([flow.sent.length, told, layer.size(), clock.calls()]).toEqual([7, ['timeout'], 0, 0]);
  });

  test('over TCP sends once, and times out with timer B', () => {
    const { clock, flow, told } = begin(invite, true);
    clock.advance(32_300);
    expect([flow.sent.length, told]).toEqual([1, ['timeout']]);
  });

  test('waits as long as it takes after a provisional response', () => {
    const { clock, flow, told, receive, layer } = begin(invite);
    receive(180);
    receive(183);
    clock.advance(180_000);
    expect([flow.sent.length, told, layer.size()]).toEqual([1, [180, 183], 1]);
  });

  test('acknowledges a failure by itself, and its copies until timer D (§17.1.1.3)', () => {
    const { clock, flow, told, receive, layer, message } = begin({
      ...invite,
      more: [
        'Via: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bKbelow',
        'Route: <sip:192.0.2.40;lr>',
        'Max-Forwards: 9',
      ],
    });
    receive(180);
    receive(486);
    receive(486);
    expect(told).toEqual([180, 486]);
    expect(flow.sent[2]).toBe(flow.sent[1]);
    const ack = reparse(flow.sent[1]);
    expect(ack.message).toMatchObject({ method: 'ACK', requestUri: message.requestUri, body: '' });
    expect(ack.head).toMatchObject({
      cseq: { number: 1, method: 'ACK' },
      to: { tag: 't1' },
      from: { tag: 'f1' },
      callId: 'c1',
    });
    expect(ack.message.fields.map((field) => `${field.id}: ${field.value}`)).toEqual([
      'via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKone',
      'max-forwards: 70',
      'route: <sip:192.0.2.40;lr>',
      'from: <sip:a@example.org>;tag=f1',
      'to: <sip:b@example.org>;tag=t1',
      'call-id: c1',
      'cseq: 1 ACK',
      'content-length: 0',
    ]);
    clock.advance(31_900);
    expect(layer.size()).toBe(1);
    clock.advance(400);
    expect([layer.size(), clock.calls()]).toEqual([0, 0]);
  });

  test('over TCP acknowledges a failure and ends (timer D is 0)', () => {
    const { receive, methods, layer } = begin(invite, true);
    receive(603);
    expect([methods(), layer.size()]).toEqual([['INVITE', 'ACK'], 0]);
  });

  test('gives every 2xx to the user until timer M, and acknowledges none (RFC 6026)', () => {
    const { clock, receive, told, methods, layer } = begin(invite);
    receive(200);
    receive(200);
    receive(180);
    receive(486);
    clock.advance(31_900);
    expect([told, methods(), layer.size()]).toEqual([[200, 200], ['INVITE'], 1]);
    clock.advance(400);
    expect([layer.size(), clock.calls()]).toEqual([0, 0]);
  });

  test('ends on a transport error, also of the ACK', () => {
    const calling = begin(invite);
    calling.flow.fail();
    expect([calling.told, calling.layer.size()]).toEqual([['no route'], 0]);
    const refused = begin(invite);
    refused.receive(486);
    refused.flow.fail();
    expect([refused.told, refused.layer.size()]).toEqual([[486, 'no route'], 0]);
  });
});

describe('cancelling (§9.1)', () => {
  const invite = { method: 'INVITE', more: ['Route: <sip:192.0.2.40;lr>'] };

  test('sends CANCEL with the same branch, and the 487 ends it', () => {
    const { transaction, receive, told, methods, flow, message, layer, clock } = begin(invite);
    receive(180);
    transaction.cancel([createField('Reason', 'SIP;cause=200')]);
    transaction.cancel();
    expect(methods()).toEqual(['INVITE', 'CANCEL']);
    const cancel = reparse(flow.sent[1]);
    expect(cancel.head).toMatchObject({
      via: { branch: 'z9hG4bKone' },
      cseq: { number: 1, method: 'CANCEL' },
      callId: 'c1',
    });
    expect(cancel.head.to.tag).toBeUndefined();
    expect(cancel.message.fields.map((field) => field.id)).toEqual([
      'via',
      'max-forwards',
      'route',
      'from',
      'to',
      'call-id',
      'cseq',
      'reason',
      'content-length',
    ]);
    expect(receive(200, cancel.message as Request)).toBe(true);
    receive(487, message);
    expect([told, methods()]).toEqual([
      [180, 487],
      ['INVITE', 'CANCEL', 'ACK'],
    ]);
    clock.advance(60_000);
    expect([layer.size(), clock.calls()]).toEqual([0, 0]);
  });

  test('waits for a provisional response', () => {
    const { transaction, receive, methods, clock } = begin(invite);
    transaction.cancel();
    clock.advance(510);
    expect(methods()).toEqual(['INVITE', 'INVITE']);
    receive(100);
    receive(180);
    expect(methods()).toEqual(['INVITE', 'INVITE', 'CANCEL']);
  });

  test('is not done after a final response, nor for other methods', () => {
    const done = begin(invite);
    done.receive(200);
    done.transaction.cancel();
    expect(done.methods()).toEqual(['INVITE']);
    const early = begin(invite);
    early.transaction.cancel();
    early.receive(200);
    expect(early.methods()).toEqual(['INVITE']);
    const other = begin({});
    other.receive(100);
    other.transaction.cancel();
    expect(other.methods()).toEqual(['OPTIONS']);
  });

  test('gives up 64·T1 after a CANCEL that nobody heeds', () => {
    const { transaction, receive, told, layer, clock } = begin(invite);
    receive(180);
    transaction.cancel();
    clock.advance(32_300);
    expect(told).toEqual([180, 'timeout']);
    clock.advance(32_300);
    expect([layer.size(), clock.calls()]).toEqual([0, 0]);
  });
});

describe('the user', () => {
  test('abandons: nothing more is sent or told', () => {
    const { transaction, receive, told, layer, clock, flow } = begin({ method: 'INVITE' });
    transaction.abandon();
    transaction.cancel();
    clock.advance(60_000);
    expect([receive(200), told, layer.size(), clock.calls(), flow.sent.length]).toEqual([false, [], 0, 0, 1]);
  });

  test('may abandon, and throw, while being told', () => {
    const { layer, clock, errors } = station();
    const flow = testFlow(false);
    const { message } = request({ method: 'INVITE' });
    const transaction = layer.sendRequest(message, flow, {
      onResponse: () => {
        transaction.abandon();
        throw new Error('ours');
      },
      onTimeout: () => expect.unreachable(),
      onTransportError: () => expect.unreachable(),
    });
    const { message: response, head } = respondTo(message, 486);
    layer.receiveResponse(response, head);
    clock.advance(60_000);
    expect([errors, layer.size(), clock.calls()]).toEqual([[new Error('ours')], 0, 0]);
  });

  test('is refused a request without branch, or with one that is in use', () => {
    const { layer } = station();
    const user: ClientUser = { onResponse() {}, onTimeout() {}, onTransportError() {} };
    const bare: Request = { type: 'request', method: 'OPTIONS', requestUri: 'sip:a', fields: [], body: '' };
    expect(() => layer.sendRequest(bare, testFlow(false), user)).toThrow(
      'a request of ours: its Via has no branch',
    );
    layer.sendRequest(request().message, testFlow(false), user);
    expect(() => layer.sendRequest(request().message, testFlow(false), user)).toThrow('branch');
    expect(layer.size()).toBe(1);
  });

  test('is not told of stray responses', () => {
    const { layer, told } = begin({});
    const stray = respondTo(request({ branch: 'z9hG4bKtwo' }).message, 200);
    expect([layer.receiveResponse(stray.message, stray.head), told]).toEqual([false, []]);
  });
});

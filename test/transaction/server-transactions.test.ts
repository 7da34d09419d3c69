import { describe, expect, test } from 'vitest';
import { type RequestParts, reparse, request, respondTo, station, testFlow } from './station.ts';

/** A layer with one server transaction, over that kind of transport. */
function begin(parts: RequestParts, reliable = false) {
  const { layer, clock, errors } = station();
  const flow = testFlow(reliable);
  const { message, head } = request(parts);
  expect(layer.absorb(message, head, flow)).toBe(false);
  const transaction = layer.createServerTransaction(message, head, flow);
  const again = () => layer.absorb(message, head, flow);
  const respond = (status: number) => transaction.respond(respondTo(message, status).message);
  const ack = (more: RequestParts = {}) => {
    const sent = request({ ...parts, method: 'ACK', toTag: 't1', ...more });
    return layer.absorb(sent.message, sent.head, flow);
  };
  return { layer, clock, errors, flow, message, head, transaction, again, respond, ack };
}

const ok = 'SIP/2.0 200 OK';
const trying = 'SIP/2.0 100 Trying';
const ringing = 'SIP/2.0 180 Ringing';
const busy = 'SIP/2.0 486 Busy Here';

describe('non-INVITE server transaction (§17.2.2)', () => {
  test('absorbs retransmissions in silence until there is a response', () => {
    const { again, flow, layer } = begin({});
    expect(again()).toBe(true);
    expect([flow.sent, layer.size()]).toEqual([[], 1]);
  });

  test('repeats the last provisional, then the final response, octet by octet', () => {
    const { again, respond, flow } = begin({});
    respond(100);
    again();
    respond(200);
    again();
    again();
    expect(flow.lines()).toEqual([trying, trying, ok, ok, ok]);
    expect(flow.sent[4]).toBe(flow.sent[2]);
  });

  test('sends one final response, and no provisional one behind it', () => {
    const { respond, flow } = begin({});
    respond(200);
    respond(500);
    respond(100);
    expect(flow.lines()).toEqual([ok]);
  });

  test('over UDP ends with timer J, 64·T1 after the final response', () => {
    const { clock, respond, again, layer } = begin({});
    clock.advance(20_000);
    respond(200);
    clock.advance(31_900);
    expect([again(), layer.size()]).toEqual([true, 1]);
    clock.advance(400);
    expect([layer.size(), clock.calls(), again()]).toEqual([0, 0, false]);
  });

  test('over TCP ends with the final response (timer J is 0)', () => {
    const { respond, layer, flow } = begin({}, true);
    respond(100);
    respond(200);
    expect([layer.size(), flow.lines()]).toEqual([0, [trying, ok]]);
  });

  test.each([false, true])(
    'ends without an answer when no client waits any more (RFC 4320 §4.2)',
    (reliable) => {
      const { clock, layer, respond, flow } = begin({}, reliable);
      clock.advance(32_300);
      expect(layer.size()).toBe(0);
      respond(200);
      expect(flow.sent).toEqual([]);
    },
  );

  test('reports a response that a connection could not deliver, also the last one', () => {
    const { respond, again, flow, errors } = begin({}, true);
    respond(100);
    flow.fail();
    again();
    respond(200);
    flow.fail();
    expect(errors).toEqual([new Error('no route'), new Error('no route')]);
    expect(flow.lines()).toEqual([trying, trying, ok]);
  });

  test("answers to sent-by's port where the Via says so (§18.2.2)", () => {
    const { respond, again, flow } = begin({ sentBy: '192.0.2.1:5071' });
    respond(200);
    again();
    expect(flow.sent).toEqual([]);
    expect((flow.atPort(5071) as typeof flow).lines()).toEqual([ok, ok]);
  });
});

describe('INVITE server transaction (§17.2.1, RFC 6026)', () => {
  const invite = { method: 'INVITE' };

  test('sends 100 when the user says nothing for 200 ms', () => {
    const { clock, flow, again } = begin(invite);
    clock.advance(199);
    again();
    expect(flow.sent).toEqual([]);
    clock.advance(5);
    again();
    expect(flow.lines()).toEqual([trying, trying]);
  });

  test('sends no 100 after a response of the user', () => {
    const { clock, flow, respond, again } = begin(invite);
    respond(180);
    clock.advance(1000);
    again();
    expect(flow.lines()).toEqual([ringing, ringing]);
  });

  test('retransmits a final failure over UDP until ACK (§17.2.1)', () => {
    const { clock, flow, respond, ack, layer } = begin(invite);
    respond(486);
    for (const [ms, count] of [
      [510, 2],
      [1010, 3],
      [2020, 4],
      [4040, 5],
      [4040, 6],
      [4040, 7],
    ] as const) {
      clock.advance(ms);
      expect(flow.sent).toHaveLength(count);
    }
    expect(ack()).toBe(true);
    clock.advance(4900);
    expect([flow.sent.length, layer.size()]).toEqual([7, 1]);
    expect(new Set(flow.sent).size).toBe(1);
  });

  test('absorbs ACKs and INVITEs until timer I, T4 after the first ACK', () => {
    const { clock, flow, respond, ack, again, layer } = begin(invite);
    respond(486);
    expect([ack(), ack(), again(), flow.lines()]).toEqual([true, true, true, [busy]]);
    clock.advance(5100);
    expect([layer.size(), ack()]).toEqual([0, false]);
  });

  test('without ACK ends with timer H, 64·T1 after the failure', () => {
    const { clock, flow, respond, layer } = begin(invite);
    respond(486);
    clock.advance(32_300);
    expect([flow.sent.length, layer.size()]).toEqual([11, 0]);
    clock.advance(60_000);
    expect([flow.sent.length, clock.calls()]).toEqual([11, 0]);
  });

  test('repeats a failure when the INVITE comes again', () => {
    const { flow, respond, again } = begin(invite);
    respond(486);
    again();
    expect(flow.lines()).toEqual([busy, busy]);
  });

  test('over TCP does not retransmit, and ends with the ACK (timer I is 0)', () => {
    const { clock, flow, respond, ack, layer } = begin(invite, true);
    respond(486);
    clock.advance(20_000);
    expect([flow.lines(), layer.size()]).toEqual([[busy], 1]);
    expect([ack(), layer.size()]).toEqual([true, 0]);
  });

  test.each([false, true])(
    'after 2xx absorbs INVITEs until timer L, and the ACK is the user’s (RFC 6026)',
    (reliable) => {
      const { clock, flow, respond, ack, again, layer } = begin(invite, reliable);
      respond(200);
      expect([again(), ack(), flow.lines()]).toEqual([true, false, [ok]]);
      respond(200);
      respond(486);
      clock.advance(31_900);
      expect([flow.lines(), layer.size()]).toEqual([[ok, ok], 1]);
      clock.advance(400);
      expect([layer.size(), clock.calls()]).toEqual([0, 0]);
    },
  );

  test('stays as it is on a transport error (RFC 6026)', () => {
    const { flow, respond, ack, errors, layer } = begin(invite, true);
    respond(486);
    flow.fail();
    expect([errors.length, layer.size(), ack()]).toEqual([1, 1, true]);
  });

  test.each([undefined, 'old'])('of an RFC 2543 client finds its ACK by the tag-less INVITE', (branch) => {
    const { respond, ack, flow, clock } = begin({ ...invite, branch });
    respond(486);
    expect(ack({ branch })).toBe(true);
    clock.advance(4000);
    expect(flow.lines()).toEqual([busy]);
  });
});

describe('CANCEL (§9.2)', () => {
  function cancel(on: ReturnType<typeof begin>, parts: RequestParts = {}) {
    const { message, head } = request({ method: 'CANCEL', ...parts });
    expect(on.layer.absorb(message, head, on.flow)).toBe(false);
    const found = on.layer.receiveCancel(message, head, on.flow);
    expect(on.layer.absorb(message, head, on.flow)).toBe(true);
    return found;
  }

  test('is answered 200, tells the user of the INVITE, and is repeated for its retransmission', () => {
    const invite = begin({ method: 'INVITE' });
    invite.transaction.onCancel = () => invite.respond(487);
    expect(cancel(invite)).toBe(true);
    expect(invite.flow.lines()).toEqual([ok, 'SIP/2.0 487 Request Terminated', ok]);
    expect(reparse(invite.flow.sent[0]).head.cseq.method).toBe('CANCEL');
    expect(reparse(invite.flow.sent[0]).head.to.tag).toMatch(/^[0-9a-f]{20}$/);
  });

  test('changes nothing after a final response', () => {
    const invite = begin({ method: 'INVITE' });
    invite.transaction.onCancel = () => expect.unreachable();
    invite.respond(486);
    expect(cancel(invite)).toBe(true);
    expect(invite.flow.lines()).toEqual([busy, ok, ok]);
    expect(invite.errors).toEqual([]);
  });

  test('is answered 481 where there is no INVITE of that branch', () => {
    const invite = begin({ method: 'INVITE' });
    invite.transaction.onCancel = () => expect.unreachable();
    expect(cancel(invite, { branch: 'z9hG4bKtwo' })).toBe(false);
    expect(invite.flow.lines()[0]).toBe('SIP/2.0 481 Call/Transaction Does Not Exist');
    expect(invite.errors).toEqual([]);
  });

  test('survives a user who throws', () => {
    const invite = begin({ method: 'INVITE' });
    invite.transaction.onCancel = () => {
      throw new Error('ours');
    };
    expect(cancel(invite)).toBe(true);
    expect(invite.errors).toEqual([new Error('ours')]);
  });
});

describe('without a transaction', () => {
  test('a retransmission that overtook its request gets the same transaction, and one final response is sent', () => {
    const on = begin({});
    const second = on.layer.createServerTransaction(on.message, on.head, on.flow);
    on.respond(200);
    second.respond(respondTo(on.message, 500).message);
    expect([on.flow.lines(), on.layer.size()]).toEqual([[ok], 1]);
  });

  test('close forgets everything, timers too', () => {
    const on = begin({ method: 'INVITE' });
    on.respond(486);
    on.layer.close();
    on.clock.advance(60_000);
    on.respond(486);
    expect([on.layer.size(), on.clock.calls(), on.flow.lines()]).toEqual([0, 0, [busy]]);
  });
});

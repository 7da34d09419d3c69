import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTransactionLayer, type TransactionLayer } from '../../src/transaction/layer.ts';
import type { Flow } from '../../src/transport/flow.ts';
import { stampVia } from '../../src/transport/respond.ts';
import { station as openStation, udpPeer } from '../transport/peers.ts';
import { parse, request, respondTo, station, testFlow, times } from './station.ts';

const methods = ['INVITE', 'OPTIONS'];

/** One thing that happens to a layer: an arrival, an answer, a failure, or time. */
const happening = fc.record({
  what: fc.constantFrom(
    'request',
    'ack',
    'cancel',
    'respond',
    'send',
    'response',
    'cancelOurs',
    'fail',
    'wait',
  ),
  method: fc.constantFrom(...methods),
  branch: fc.constantFrom('z9hG4bKa', 'z9hG4bKb', undefined),
  status: fc.constantFrom(100, 180, 200, 401, 486),
  reliable: fc.boolean(),
  ms: fc.nat(5000),
});

test('any sequence of events, then answers and silence, leaves nothing behind (§17)', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
      const { layer, clock, errors } = station();
      const flows = { true: testFlow(true), false: testFlow(false) };
      const answer = new Map<string, () => void>();
      const ours: { cancel(): void; request: ReturnType<typeof request>['message'] }[] = [];
      let branches = 0;
      for (const { what, method, branch, status, reliable, ms } of happenings) {
        const flow = flows[`${reliable}`];
        const { message, head } = request({ method, branch });
        if (what === 'request' && !layer.absorb(message, head, flow)) {
          const transaction = layer.createServerTransaction(message, head, flow);
          answer.set(`${method}${branch}`, () => transaction.respond(respondTo(message, 486).message));
        } else if (what === 'respond') {
          layer.createServerTransaction(message, head, flow).respond(respondTo(message, status).message);
          answer.set(`${method}${branch}!`, () => {
            layer.createServerTransaction(message, head, flow).respond(respondTo(message, 486).message);
          });
        } else if (what === 'ack') {
          const ack = request({ method: 'ACK', branch, toTag: 't1' });
          layer.absorb(ack.message, ack.head, flow);
        } else if (what === 'cancel') {
          const cancel = request({ method: 'CANCEL', branch });
          if (!layer.absorb(cancel.message, cancel.head, flow))
            layer.receiveCancel(cancel.message, cancel.head, flow);
        } else if (what === 'send') {
          branches += 1;
          const sent = request({ method, branch: `z9hG4bKours${branches}` }).message;
          const user = { onResponse() {}, onTimeout() {}, onTransportError() {} };
          ours.push(layer.sendRequest(sent, flow, user));
        } else if (what === 'response') {
          const last = ours.at(-1);
          if (last === undefined) continue;
          const response = respondTo(last.request, status);
          layer.receiveResponse(response.message, response.head);
        } else if (what === 'cancelOurs') ours.at(-1)?.cancel();
        else if (what === 'fail') flow.fail();
        else clock.advance(ms);
      }
      for (const owed of answer.values()) owed();
      for (const each of ours) each.cancel();
      clock.advance(200_000);
      expect([layer.size(), clock.calls()]).toEqual([0, 0]);
      expect(errors.every((error) => error instanceof Error && error.message === 'no route')).toBe(true);
    }),
    { numRuns: 300 },
  );
});

describe('over real sockets', () => {
  test('a request is answered, its retransmission too, and both from the same address', async () => {
    let layer: TransactionLayer | undefined;
    const receive = (octets: string, flow: Flow): void => {
      const { message, head } = parse(octets.slice(0, -4).split('\r\n'));
      if (message.type !== 'request' || layer === undefined) return;
      stampVia(message, head.via, flow);
      if (layer.absorb(message, head, flow)) return;
      layer.createServerTransaction(message, head, flow).respond(respondTo(message, 200).message);
    };
    const { port } = await openStation(['udp:127.0.0.2'], { onMessage: receive });
    layer = createTransactionLayer({ ...times, onError: (error) => expect.unreachable(String(error)) });
    const peer = await udpPeer();
    const octets = [
      'OPTIONS sip:127.0.0.2 SIP/2.0',
      `Via: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bKx;rport`,
      'From: <sip:a@example.org>;tag=1',
      'To: <sip:b@example.org>',
      'Call-ID: c',
      'CSeq: 1 OPTIONS',
      'Content-Length: 0\r\n\r\n',
    ].join('\r\n');
    const answers: string[] = [];
    for (let count = 0; count < 2; count += 1) {
      await peer.send(octets, port('udp', '127.0.0.2'), '127.0.0.2');
      const { bytes, from } = await peer.datagrams.next();
      expect(from).toMatchObject({ address: '127.0.0.2', port: port('udp', '127.0.0.2') });
      answers.push(bytes.toString('latin1'));
    }
    expect(answers[0]).toContain(`;branch=z9hG4bKx;received=127.0.0.1;rport=${peer.port}\r\n`);
    expect(answers[1]).toBe(answers[0]);
    expect(layer.size()).toBe(1);
    layer.close();
  });
});

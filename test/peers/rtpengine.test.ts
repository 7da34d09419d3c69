// Debian's rtpengine between two phones: what arrives is what was sent, whatever addresses their SDP names.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { createNgClient, type NgClient } from '../../src/media/ng-client.ts';
import {
  createRtpEngine,
  type DoneOutcome,
  type RtpEngine,
  type SdpOutcome,
} from '../../src/media/rtpengine.ts';
import type { Background } from '../host/background.ts';
import { describeNeeding } from '../host/required.ts';
import { isClosed, mediaOf, RtpPhone } from './rtp-phone.ts';
import { type RtpengineAddress, rtpengineAddress, startRtpengine } from './rtpengine-daemon.ts';

const behindNat = { receivedFrom: '127.0.0.1' };
const done: DoneOutcome = { type: 'done' };

describeNeeding(['rtpengine'], 'rtpengine', () => {
  let address: RtpengineAddress;
  let daemon: Background;
  let client: NgClient;
  let engine: RtpEngine;
  let faults: string[];
  let jan: RtpPhone;
  let eva: RtpPhone;

  beforeEach(async () => {
    address = await rtpengineAddress();
    daemon = await startRtpengine(address);
    faults = [];
    const onFault = (why: string) => faults.push(why);
    client = createNgClient({ address: '127.0.0.1', port: address.ngPort, onFault });
    engine = createRtpEngine(client);
    [jan, eva] = [await RtpPhone.open(), await RtpPhone.open()];
  });

  afterEach(async () => {
    await client.close();
    jan.close();
    eva.close();
    await daemon.stop();
  });

  async function sdpOf(outcome: Promise<SdpOutcome>): Promise<string> {
    const result = await outcome;
    if (result.type === 'failed') throw new Error(`${result.why}\n${daemon.output.slice(-2000)}`);
    return result.sdp;
  }

  /** An offer of one and the answer of the other, which become what each of them gets. */
  async function call(
    names: { readonly callId: string; readonly fromTag: string; readonly toTag: string },
    offerer: RtpPhone,
    answerer: RtpPhone,
  ): Promise<{ readonly offer: string; readonly answer: string }> {
    const { callId, fromTag } = names;
    const offer = await sdpOf(engine.offer({ callId, fromTag, sdp: offerer.sdp(), flags: behindNat }));
    const answer = await sdpOf(engine.answer({ ...names, sdp: answerer.sdp(), flags: behindNat }));
    return { offer, answer };
  }

  async function arrives(from: RtpPhone, to: RtpPhone, sdp: string): Promise<void> {
    await to.receives(await from.send(sdp));
  }

  const names = { callId: 'c', fromTag: 'jan', toTag: 'eva' };

  test('carries audio both ways between phones whose SDP names addresses that nobody reaches', async () => {
    const { offer, answer } = await call(names, jan, eva);
    expect([mediaOf(offer).address, mediaOf(answer).address]).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(offer + answer).not.toContain('192.0.2.99');
    // The first packet goes to a phone that has sent none, by the source address of its SIP.
    await arrives(eva, jan, offer);
    await arrives(jan, eva, answer);
    await arrives(eva, jan, offer);
  });

  test('carries audio where the SDP names true addresses', async () => {
    const flags = {};
    const sdp = jan.sdp('127.0.0.1');
    const offer = await sdpOf(engine.offer({ ...names, toTag: undefined, sdp, flags }));
    const answer = await sdpOf(engine.answer({ ...names, sdp: eva.sdp('127.0.0.1'), flags }));
    await arrives(eva, jan, offer);
    await arrives(jan, eva, answer);
  });

  test('carries audio between IPv4 and IPv6', async () => {
    const six = await RtpPhone.open('::1');
    const { callId, fromTag } = names;
    const flags = { ...behindNat, family: 'IP6' as const };
    const offer = await sdpOf(engine.offer({ callId, fromTag, sdp: jan.sdp(), flags }));
    expect(offer).toContain('c=IN IP6 ::1');
    const sdp = six.sdp('2001:db8::99');
    const answer = await sdpOf(
      engine.answer({ ...names, sdp, flags: { receivedFrom: '::1', family: 'IP4' } }),
    );
    expect(answer).toContain('c=IN IP4 127.0.0.1');
    await arrives(six, jan, offer);
    await arrives(jan, six, answer);
    six.close();
  });

  test('carries audio of a late offer, in the response, and its answer, in ACK', async () => {
    const { offer, answer } = await call({ callId: 'c', fromTag: 'eva', toTag: 'jan' }, eva, jan);
    await arrives(jan, eva, offer);
    await arrives(eva, jan, answer);
  });

  test('gives the same SDP for what is sent again, and keeps its ports in a call', async () => {
    const { offer, answer } = await call(names, jan, eva);
    expect(await call(names, jan, eva)).toEqual({ offer, answer });
    const again = await sdpOf(engine.offer({ ...names, sdp: jan.sdp(), flags: behindNat }));
    expect(mediaOf(again)).toEqual(mediaOf(offer));
    // A re-INVITE of the callee.
    const back = { callId: 'c', fromTag: 'eva', toTag: 'jan', flags: behindNat };
    expect(mediaOf(await sdpOf(engine.offer({ ...back, sdp: eva.sdp() })))).toEqual(mediaOf(answer));
    expect(mediaOf(await sdpOf(engine.answer({ ...back, sdp: jan.sdp() })))).toEqual(mediaOf(offer));
    await arrives(eva, jan, offer);
    await arrives(jan, eva, answer);
  });

  test('follows a phone that moves its audio by a new offer', async () => {
    const { offer } = await call(names, jan, eva);
    await arrives(eva, jan, offer);
    const moved = await RtpPhone.open();
    const next = await sdpOf(engine.offer({ ...names, sdp: moved.sdp(), flags: behindNat }));
    await sdpOf(engine.answer({ ...names, sdp: eva.sdp(), flags: behindNat }));
    await arrives(eva, moved, next);
    moved.close();
  });

  test.each([
    ['before any answered', false],
    ['that had sent early media', true],
  ])(
    'gives each branch of a fork ports of its own, and ends one %s without the other',
    async (_, isEarly) => {
      const [losing, winning] = ['z9hG4bK1', 'z9hG4bK2'];
      const { callId, fromTag } = names;
      const offerOn = (viaBranch: string) =>
        sdpOf(engine.offer({ callId, fromTag, viaBranch, sdp: jan.sdp(), flags: behindNat }));
      const answerOn = (viaBranch: string, toTag: string) =>
        sdpOf(engine.answer({ callId, fromTag, toTag, viaBranch, sdp: eva.sdp(), flags: behindNat }));
      const [lost, won] = [await offerOn(losing), await offerOn(winning)];
      expect(mediaOf(lost).port).not.toBe(mediaOf(won).port);
      if (isEarly) {
        await answerOn(losing, 'other');
        await arrives(eva, jan, lost);
        await answerOn(winning, 'eva');
      }
      expect(await engine.delete({ callId, fromTag, viaBranch: losing })).toEqual(done);
      expect(await isClosed(lost)).toBe(true);
      const answer = await answerOn(winning, 'eva');
      await arrives(eva, jan, won);
      await arrives(jan, eva, answer);
    },
  );

  test('ends the relaying at once', async () => {
    const { offer, answer } = await call(names, jan, eva);
    await arrives(eva, jan, offer);
    expect([await isClosed(offer), await isClosed(answer)]).toEqual([false, false]);
    expect(await engine.delete({ callId: 'c' })).toEqual(done);
    expect([await isClosed(offer), await isClosed(answer)]).toEqual([true, true]);
    expect(await engine.answer({ ...names, sdp: eva.sdp(), flags: behindNat })).toEqual({
      type: 'failed',
      why: 'rtpengine: Unknown call-id',
    });
    // A BYE that comes twice is no failure.
    expect(await engine.delete({ callId: 'c' })).toEqual(done);
  });

  test('lets nobody speak in from elsewhere once it knows the phone', async () => {
    const { answer } = await call(names, jan, eva);
    const isKnown = async () => {
      await arrives(jan, eva, answer);
      const outcome = await client.request({ command: 'query', 'call-id': 'c' });
      return JSON.stringify(outcome).includes('"confirmed"');
    };
    while (!(await isKnown())) await new Promise((resolve) => setTimeout(resolve, 100));
    const stranger = await RtpPhone.open();
    const payload = await stranger.send(answer);
    await arrives(jan, eva, answer);
    expect(eva.has(payload)).toBe(false);
    stranger.close();
  });

  test.each([
    ['of today', 'a=sendonly\r\n', '192.0.2.99', /^a=sendonly/m],
    ['of RFC 2543', '', '0.0.0.0', /^c=IN IP4 0\.0\.0\.0/m],
  ])('passes on a hold %s', async (_, attribute, own, expected) => {
    await call(names, jan, eva);
    const sdp = jan.sdp(own, attribute);
    expect(await sdpOf(engine.offer({ ...names, sdp, flags: behindNat }))).toMatch(expected);
  });

  test('takes ICE out, both ways', async () => {
    const ice =
      'a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwxyz\r\n' +
      'a=candidate:1 1 UDP 2130706431 192.0.2.99 5004 typ host\r\n';
    const sdp = jan.sdp('192.0.2.99', ice);
    const { callId, fromTag } = names;
    const offer = await sdpOf(engine.offer({ callId, fromTag, sdp, flags: behindNat }));
    const answer = await sdpOf(engine.answer({ ...names, sdp: eva.sdp(), flags: behindNat }));
    expect(offer + answer).not.toMatch(/^a=(?:ice|candidate)/m);
    await arrives(jan, eva, answer);
    await arrives(eva, jan, offer);
  });

  test('says why it refuses', async () => {
    const { callId, fromTag } = names;
    expect(await engine.offer({ callId, fromTag, sdp: 'v=9', flags: {} })).toEqual({
      type: 'failed',
      why: 'rtpengine: Failed to parse SDP',
    });
  });

  test('that is dead fails commands in time; started again it serves, and a re-INVITE revives a call', async () => {
    expect(await engine.ping()).toEqual(done);
    await call(names, jan, eva);
    await daemon.stop('SIGKILL');
    const beganMs = performance.now();
    const offer = { ...names, sdp: jan.sdp(), flags: behindNat };
    expect(await engine.offer(offer)).toEqual({
      type: 'failed',
      why: 'rtpengine did not answer within 1000 ms',
    });
    expect(performance.now() - beganMs).toBeLessThan(1500);
    expect(faults.length).toBe(1);
    daemon = await startRtpengine(address);
    expect(await engine.ping()).toEqual(done);
    const toEva = await sdpOf(engine.offer(offer));
    const toJan = await sdpOf(engine.answer({ ...names, sdp: eva.sdp(), flags: behindNat }));
    await arrives(eva, jan, toEva);
    await arrives(jan, eva, toJan);
  });

  test('that starts within the deadline answers what was sent before', async () => {
    await daemon.stop('SIGKILL');
    const pong = engine.ping();
    daemon = await startRtpengine(address);
    expect(await pong).toEqual(done);
  });
});

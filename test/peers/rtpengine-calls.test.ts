// Calls through the proxy whose media Debian's rtpengine relays: what one phone sends arrives at the other, whatever
// addresses their SDP names, and nothing is left open.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { fieldValue } from '../../src/message/fields.ts';
import type { Response } from '../../src/message/message.ts';
import { createField } from '../../src/message/response.ts';
import { createAgent, type TimedResponse } from '../agent/agent.ts';
import type { Background } from '../host/background.ts';
import { describeNeeding } from '../host/required.ts';
import { type Incoming, Phone } from '../server/phone.ts';
import { password, realm, TestServer } from '../server/running-server.ts';
import { isClosed, mediaOf, RtpPhone } from './rtp-phone.ts';
import { type RtpengineAddress, rtpengineAddress, startRtpengine } from './rtpengine-daemon.ts';

const aor = `sip:jan@${realm}`;
const type = { 'Content-Type': 'application/sdp' };
const typeField = [createField('Content-Type', 'application/sdp')];

describeNeeding(['rtpengine'], 'calls through rtpengine', () => {
  let address: RtpengineAddress;
  let daemon: Background;
  let server: TestServer;
  let caller: Phone;
  let callee: Phone;
  let jan: RtpPhone;
  let eva: RtpPhone;

  beforeEach(async () => {
    address = await rtpengineAddress();
    daemon = await startRtpengine(address);
    server = await TestServer.start({
      config: [`RtpEngine udp:127.0.0.1:${address.ngPort}`],
      addresses: ['127.0.0.1', '::1'],
    });
    [jan, eva] = [await RtpPhone.open(), await RtpPhone.open()];
    caller = new Phone(await server.agent(), 'jan', 'sip:jan@10.0.0.9:5060');
    callee = await registered('sip:jan@10.0.0.8:5060');
  });

  afterEach(async () => {
    await server.stop();
    await daemon.stop();
    jan.close();
    eva.close();
  });

  async function registered(contact?: string): Promise<Phone> {
    const agent = await server.agent();
    const phone = new Phone(agent, 'jan', contact);
    const { response } = await server.register(agent, { contact: `<${phone.contact}>` });
    expect(response.status).toBe(200);
    return phone;
  }

  function invite(body: string): Promise<TimedResponse> {
    return caller.request('INVITE', aor, { fields: body === '' ? {} : type, body, secret: password });
  }

  function accept(request: Incoming, body: string, phone = callee, status = 200): Promise<void> {
    return phone.answer(request, status, { body, fields: typeField });
  }

  function acknowledge(established: Response, body: string): Promise<void> {
    const cseq = Number.parseInt(fieldValue(established, 'cseq') ?? '', 10);
    const ack = caller.within('ACK', established, cseq);
    return caller.agent.sendRaw(caller.agent.format({ ...ack, fields: { ...ack.fields, ...type }, body }));
  }

  async function arrives(from: RtpPhone, to: RtpPhone, sdp: string): Promise<void> {
    await to.receives(await from.send(sdp));
  }

  /** Audio in both directions, each phone sending to what it was told. */
  async function bothWays(toEva: string, toJan: string): Promise<void> {
    expect([mediaOf(toEva).address, mediaOf(toJan).address]).toEqual(['127.0.0.1', '127.0.0.1']);
    await arrives(eva, jan, toEva);
    await arrives(jan, eva, toJan);
    await arrives(eva, jan, toEva);
  }

  async function establish(): Promise<{ received: Incoming; established: TimedResponse }> {
    const inviting = invite(jan.sdp());
    const received = await callee.next('INVITE');
    await accept(received, eva.sdp());
    const established = await inviting;
    expect(established.status).toBe(200);
    await caller.confirm(established);
    await callee.next('ACK');
    return { received, established };
  }

  test('carries audio both ways between phones behind NAT until BYE', async () => {
    expect(server.log('rtpengine')).toEqual([`rtpengine address=127.0.0.1:${address.ngPort} answers=yes`]);
    const { received, established } = await establish();
    const sdps = [received.request.body, established.body] as const;
    expect(sdps.join('')).not.toContain('192.0.2.99');
    await bothWays(...sdps);
    const bye = caller.agent.request(caller.within('BYE', established, 90));
    await callee.answer(await callee.next('BYE'), 200);
    expect((await bye).status).toBe(200);
    expect([await isClosed(sdps[0]), await isClosed(sdps[1])]).toEqual([true, true]);
  });

  test('carries early media, and the same SDP comes again in the 2xx', async () => {
    const inviting = invite(jan.sdp());
    const received = await callee.next('INVITE');
    await accept(received, eva.sdp(), callee, 183);
    const { body: early } = await caller.nextResponse(183, 'INVITE');
    await bothWays(received.request.body, early);
    await accept(received, eva.sdp());
    await accept(received, eva.sdp());
    expect((await inviting).body).toBe(early);
    expect((await caller.nextResponse(200, 'INVITE')).body).toBe(early);
  });

  test('carries audio of a late offer, whose answer is in ACK', async () => {
    const inviting = invite('');
    const received = await callee.next('INVITE');
    expect(received.request.body).toBe('');
    await accept(received, eva.sdp());
    const established = await inviting;
    await acknowledge(established, jan.sdp());
    const { request: ack } = await callee.next('ACK');
    await bothWays(ack.body, established.body);
  });

  test('carries audio after an offer of either side in the call, and after a refused one', async () => {
    const { received, established } = await establish();
    const offering = caller.agent.request({
      ...withSdp(caller.within('UPDATE', established, 80)),
      body: jan.sdp(),
    });
    const update = await callee.next('UPDATE');
    await accept(update, eva.sdp());
    await bothWays(update.request.body, (await offering).body);

    const back = callee.agent.request({ ...withSdp(callee.back('INVITE', received, 77)), body: eva.sdp() });
    const reinvite = await caller.next('INVITE');
    await accept(reinvite, jan.sdp(), caller);
    const { body: toEva } = await back;
    await bothWays(toEva, reinvite.request.body);

    const refused = callee.agent.request({
      ...withSdp(callee.back('INVITE', received, 78)),
      body: eva.sdp(),
    });
    await caller.answer(await caller.next('INVITE'), 488);
    expect((await refused).status).toBe(488);
    await bothWays(toEva, reinvite.request.body);
  });

  test('closes what it opened for a call that is refused', async () => {
    const inviting = invite(jan.sdp());
    const received = await callee.next('INVITE');
    await callee.answer(received, 486);
    expect((await inviting).status).toBe(486);
    expect(await isClosed(received.request.body)).toBe(true);
  });

  test('gives each phone that rings ports of its own, and closes those of who does not answer', async () => {
    const other = await registered('sip:jan@10.0.0.7:5060');
    const inviting = invite(jan.sdp());
    const [one, two] = [await callee.next('INVITE'), await other.next('INVITE')];
    expect(mediaOf(one.request.body).port).not.toBe(mediaOf(two.request.body).port);
    await other.answer(two, 180);
    await accept(one, eva.sdp());
    const { body } = await inviting;
    await other.answer(await other.next('CANCEL'), 200);
    await other.answer(two, 487);
    await other.next('ACK');
    expect(await isClosed(two.request.body)).toBe(true);
    await bothWays(one.request.body, body);
  });

  test('carries audio between IPv4 and IPv6, where nobody is behind NAT, and that of a late answer in PRACK', async () => {
    const agent = await createAgent({ transport: 'udp', server: { address: '::1', port: server.port } });
    caller = new Phone(agent, 'jan');
    const six = await RtpPhone.open('::1');
    try {
      const near = await registered();
      const inviting = invite('');
      const received = await near.next('INVITE');
      const reliable = [createField('Require', '100rel'), createField('RSeq', '1')];
      const fields = [...typeField, ...reliable];
      await near.answer(received, 183, { body: eva.sdp('127.0.0.1'), fields });
      const early = await caller.nextResponse(183, 'INVITE');
      const pracking = agent.request({ ...withSdp(caller.within('PRACK', early, 50)), body: six.sdp('::1') });
      const prack = await near.next('PRACK');
      await near.answer(prack, 200);
      expect((await pracking).status).toBe(200);
      expect([mediaOf(early.body).address, mediaOf(prack.request.body).address]).toEqual([
        '::1',
        '127.0.0.1',
      ]);
      await arrives(six, eva, early.body);
      await arrives(eva, six, prack.request.body);
      await near.answer(received, 200);
      expect((await inviting).status).toBe(200);
    } finally {
      await agent.close();
      six.close();
    }
  });

  test('leaves the SDP of phones alone that reach each other', async () => {
    caller = new Phone(await server.agent(), 'jan');
    const near = await registered();
    const inviting = invite(jan.sdp('127.0.0.1'));
    const [direct, natted] = [await near.next('INVITE'), await callee.next('INVITE')];
    expect(direct.request.body).toBe(jan.sdp('127.0.0.1'));
    expect(natted.request.body).not.toBe(jan.sdp('127.0.0.1'));
    await accept(direct, eva.sdp('127.0.0.1'), near);
    expect((await inviting).body).toBe(eva.sdp('127.0.0.1'));
  });

  test('goes on with a call while rtpengine is away, and says so', async () => {
    const { received, established } = await establish();
    await daemon.stop();
    const back = callee.agent.request({ ...withSdp(callee.back('INVITE', received, 77)), body: eva.sdp() });
    const reinvite = await caller.next('INVITE');
    expect(reinvite.request.body).toBe(eva.sdp());
    await accept(reinvite, jan.sdp(), caller);
    expect((await back).body).toBe(jan.sdp());
    expect(server.log('media-not-relayed').length).toBe(2);
    const bye = caller.agent.request(caller.within('BYE', established, 90));
    await callee.answer(await callee.next('BYE'), 200);
    expect((await bye).status).toBe(200);
  });

  function withSdp(request: ReturnType<Phone['within']>): ReturnType<Phone['within']> {
    return { ...request, fields: { ...request.fields, ...type } };
  }
});

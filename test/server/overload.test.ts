// Beyond capacity: 503 with Retry-After for what is new, while what was begun goes on (RFC 3261 §21.5.4).

import { createSocket } from 'node:dgram';
import { afterEach, expect, test } from 'vitest';
import { Phone, registeredPhone } from './phone.ts';
import { realm, TestServer } from './running-server.ts';

const servers: TestServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

test('a flood of calls is refused, a call that was begun ends, and a new one passes afterwards', async () => {
  const server = await TestServer.start({ config: ['TrustedPeers 127.0.0.1'] });
  servers.push(server);
  const callee = await registeredPhone(server);
  const caller = new Phone(await server.agent(), 'jan');
  const inviting = caller.invite(`sip:jan@${realm}`);
  const invite = await callee.next('INVITE');
  await callee.answer(invite, 200);
  const established = await inviting;

  const flood = createSocket('udp4');
  const answers: string[] = [];
  const refused = new Promise<void>((resolve) => {
    flood.on('message', (data) => {
      answers.push(data.toString('latin1'));
      if (answers.some((answer) => answer.startsWith('SIP/2.0 503 '))) resolve();
    });
  });
  const padding = 'x'.repeat(900);
  for (let count = 0; count < 6000; count++)
    flood.send(
      `INVITE sip:nobody@${realm} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKflood${count}\r\n` +
        `Max-Forwards: 70\r\nFrom: <sip:x@${realm}>;tag=${count}\r\nTo: <sip:nobody@${realm}>\r\n` +
        `Call-ID: flood${count}\r\nCSeq: 1 INVITE\r\nSubject: ${padding}\r\nContent-Length: 0\r\n\r\n`,
      server.port,
      '127.0.0.1',
    );
  await refused;
  const refusal = answers.find((answer) => answer.startsWith('SIP/2.0 503 ')) as string;
  expect(refusal).toMatch(/\r\nRetry-After: [1-5]\r\n/);
  expect(server.log('overload').length).toBe(1);

  const bye = caller.agent.request({ ...caller.within('BYE', established, 9), retransmit: true });
  await callee.answer(await callee.next('BYE'), 200);
  expect((await bye).status).toBe(200);
  flood.close();
  const again = caller.agent.request({
    method: 'MESSAGE',
    requestUri: `sip:jan@${realm}`,
    retransmit: true,
    timeoutMs: 10_000,
  });
  await callee.answer(await callee.next('MESSAGE', 10_000), 200);
  expect((await again).status).toBe(200);
});

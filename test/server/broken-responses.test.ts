// Phones that answer what no phone should (RFC 3261 §16.7, §18.1.2): their call ends, and nothing else does.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { formatMessage } from '../../src/message/format.ts';
import { createResponse } from '../../src/message/response.ts';
import { Phone, registeredPhone, SDP } from './phone.ts';
import { answersTo, realm, TestServer } from './running-server.ts';

let server: TestServer;
let phone: Phone;
const aor = `sip:jan@${realm}`;

beforeAll(async () => {
  server = await TestServer.start();
  phone = await registeredPhone(server);
});

afterEach(() => expect(server.log('internal-error')).toEqual([]));

afterAll(() => server.stop());

test.each<[string, (octets: string) => string]>([
  ['no Via', (octets) => octets.replace(/^Via.*\r\n/gm, '')],
  ['a Via that is none', (octets) => octets.replace(/^Via: .*/m, 'Via: x')],
  ['a branch of nobody’s', (octets) => octets.replace(/branch=z9hG4bK\w/, 'branch=z9hG4bKx')],
  ['no To', (octets) => octets.replace(/^To.*\r\n/m, '')],
  ['a To that is none', (octets) => octets.replace(/^To:.*/m, 'To: "')],
  ['two To', (octets) => octets.replace(/^(To.*\r\n)/m, '$1$1')],
  ['no CSeq', (octets) => octets.replace(/^CSeq.*\r\n/m, '')],
  ['a CSeq that is none', (octets) => octets.replace(/^CSeq.*/m, 'CSeq: x')],
  ['a CSeq of another method', (octets) => octets.replace(/^CSeq: (\d+) .*/m, 'CSeq: $1 BYE')],
  ['no From', (octets) => octets.replace(/^From.*\r\n/m, '')],
  ['no Call-ID', (octets) => octets.replace(/^Call-ID.*\r\n/m, '')],
  ['a status of 4 digits', (octets) => octets.replace(' 200 ', ' 2000 ')],
  ['a status of 0', (octets) => octets.replace(' 200 ', ' 000 ')],
  ['a status of 700', (octets) => octets.replace(' 200 ', ' 700 ')],
])('a 200 with %s is no answer, the right one behind it is', async (_, spoil) => {
  const caller = new Phone(await server.agent(), 'jan');
  const calling = caller.invite(aor);
  const invite = await phone.next('INVITE');
  const fields = invite.request.fields.filter(({ id }) => id === 'record-route');
  const right = formatMessage(createResponse(invite.request, 200, { toTag: 'x', fields }));
  expect(spoil(right)).not.toBe(right);
  expect(await answersTo(phone.agent, spoil(right))).toEqual([]);
  await phone.answer(invite, 486);
  expect((await calling).status).toBe(486);
  await phone.next('ACK');
});

test.each<[string, (octets: string) => string]>([
  ['without the caller’s Via', (octets) => octets.replace(/^(Via.*\r\n)Via.*\r\n/m, '$1')],
  [
    'with 100 more Via',
    (octets) => octets.replace(/^(Via.*\r\n)/m, `$1${'Via: SIP/2.0/UDP victim.example\r\n'.repeat(100)}`),
  ],
  ['with another Call-ID', (octets) => octets.replace(/^Call-ID.*/m, 'Call-ID: other')],
  ['with 200 Contacts', (octets) => octets.replace(/^To/m, `${'Contact: <sip:x@y>\r\n'.repeat(200)}To`)],
])('a 200 %s goes to the caller’s address and nowhere else', async (_, spoil) => {
  const caller = new Phone(await server.agent(), 'jan');
  const calling = caller.invite(aor).catch(() => undefined);
  const invite = await phone.next('INVITE');
  const octets = formatMessage(createResponse(invite.request, 200, { toTag: 'x' }));
  expect(spoil(octets)).not.toBe(octets);
  await phone.agent.sendRaw(spoil(octets));
  const got = await Promise.race([calling, caller.agent.nextMessage()]);
  expect(JSON.stringify(got)).toContain('200');
  await caller.agent.close();
});

test('ten 200 of one phone are ten 200 for the caller, and the server goes on', async () => {
  const caller = new Phone(await server.agent(), 'jan');
  const calling = caller.invite(aor);
  const invite = await phone.next('INVITE');
  for (let at = 0; at < 10; at++) {
    const response = createResponse(invite.request, 200, { toTag: `t${at}` });
    response.body = SDP;
    await phone.agent.sendRaw(formatMessage(response));
  }
  expect((await calling).status).toBe(200);
  for (let at = 1; at < 10; at++) await caller.nextResponse(200, 'INVITE');
});

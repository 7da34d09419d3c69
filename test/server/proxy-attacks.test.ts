// What hostile phones and callers try with a proxy (RFC 3261 §16, §26.1; RFC 5393; RFC 3325): work stays bounded, nothing is
// made up, nobody is impersonated.

import { afterEach, describe, expect, test } from 'vitest';
import { fieldValue, fieldValues } from '../../src/message/fields.ts';
import { toOctets } from '../../src/message/octets.ts';
import { createField } from '../../src/message/response.ts';
import { Phone, registeredPhone, SDP } from './phone.ts';
import { answersBefore, realm, TestServer } from './running-server.ts';

const servers: TestServer[] = [];
const aor = `sip:jan@${realm}`;
const FOREVER = 'sr-expires-at="2099-01-01T00:00:00Z"';

async function start(config: readonly string[] = [], gecos?: string): Promise<TestServer> {
  const server = await TestServer.start({ config, ...(gecos === undefined ? {} : { gecos }) });
  servers.push(server);
  return server;
}

async function callerOf(server: TestServer, address?: string): Promise<Phone> {
  return new Phone(await server.agent('udp', address), server.user);
}

afterEach(async () => {
  const stopped = servers.splice(0);
  await Promise.all(stopped.map((server) => server.stop()));
  for (const server of stopped) expect(server.log('internal-error')).toEqual([]);
});

describe('Max-Breadth (RFC 5393 §5.3.3)', () => {
  test.each([
    ['2', ['1', '1']],
    ['5', ['2', '3']],
    [undefined, ['30', '30']],
  ])('%s is shared by two branches at once', async (breadth, shares) => {
    const server = await start();
    const phones = [await registeredPhone(server), await registeredPhone(server)];
    const caller = await callerOf(server);
    const calling = caller.invite(aor, breadth === undefined ? {} : { 'Max-Breadth': breadth });
    const invites = await Promise.all(phones.map((phone) => phone.next('INVITE')));
    const got = invites.map(({ request }) => fieldValue(request, 'max-breadth'));
    expect(got.sort()).toEqual(shares);
    for (const [at, phone] of phones.entries()) await phone.answer(invites[at] as never, 486);
    expect((await calling).status).toBe(486);
  });

  test('1 asks one phone behind the other', async () => {
    const server = await start();
    const phones = [await registeredPhone(server), await registeredPhone(server)];
    const calling = (await callerOf(server)).invite(aor, { 'Max-Breadth': '1' });
    const first = await Promise.race(
      phones.map(async (phone) => ({ phone, invite: await phone.next('INVITE') })),
    );
    expect(fieldValue(first.invite.request, 'max-breadth')).toBe('1');
    await first.phone.answer(first.invite, 486);
    const other = phones.find((phone) => phone !== first.phone) as Phone;
    await other.answer(await other.next('INVITE'), 486);
    expect((await calling).status).toBe(486);
  });

  test.each([
    ['0', 440],
    ['-1', 400],
    ['x', 400],
    ['99999999999999999999', 400],
  ])('%s is %i', async (breadth, status) => {
    const server = await start();
    expect((await (await callerOf(server)).invite(aor, { 'Max-Breadth': breadth })).status).toBe(status);
  });
});

describe('P-Asserted-Identity (RFC 3325 §5)', () => {
  const claim = createField('P-Asserted-Identity', '<sip:chef@bank.example>');
  const peer = '127.0.0.3';

  test('of a phone passes neither in requests nor in responses', async () => {
    const server = await start();
    const phone = await registeredPhone(server);
    const caller = await callerOf(server);
    const calling = caller.invite(aor, { 'P-Asserted-Identity': claim.value });
    const invite = await phone.next('INVITE');
    expect(fieldValue(invite.request, 'p-asserted-identity')).toBeUndefined();
    await phone.answer(invite, 183, { fields: [claim] });
    const progress = await caller.nextResponse(183, 'INVITE');
    expect(fieldValue(progress, 'p-asserted-identity')).toBeUndefined();
    await phone.answer(invite, 200, { body: SDP, fields: [claim] });
    expect(fieldValue(await calling, 'p-asserted-identity')).toBeUndefined();
  });

  // Of č and Ċ the last octets of the code points are CR and LF.
  test.each([
    ['DisplayName', 'DisplayName "Jän čĊčĊ \\"der\\" 🎺"\n', undefined],
    ['GECOS', '', 'Jän čĊčĊ "der" 🎺,office,,'],
  ])(
    'of a phone is replaced by ours towards a trusted peer, with the name of %s in UTF-8',
    async (_, config, gecos) => {
      const server = await start([`TrustedPeers ${peer}`], gecos);
      server.write('config', config);
      const other = new Phone(await server.agent('udp', peer), 'pbx');
      const caller = await callerOf(server);
      const calling = caller.invite(`sip:x@${peer}:${other.agent.local.port}`, {
        'P-Asserted-Identity': [claim.value, claim.value],
      });
      const invite = await other.next('INVITE');
      const name = toOctets('"Jän čĊčĊ \\"der\\" 🎺"');
      expect(fieldValues(invite.request, 'p-asserted-identity')).toEqual([`${name} <${aor}>`]);
      await other.answer(invite, 486);
      expect((await calling).status).toBe(486);
    },
  );

  test('of a trusted peer is known, and ends before a phone', async () => {
    const server = await start([`TrustedPeers ${peer}`]);
    server.write('config', 'Block sip:chef@bank.example\n');
    await registeredPhone(server);
    const other = new Phone(await server.agent('udp', peer), 'pbx');
    const fields = { From: '<sip:a@b.example>;tag=1', 'P-Asserted-Identity': claim.value };
    expect((await other.invite(aor, fields)).status).toBe(603);
    const another = await callerOf(server);
    expect((await another.invite(aor, fields)).status).toBe(403);
  });
});

describe('credentials (§22.3)', () => {
  test('of our realm end here in any field, those of others go on', async () => {
    const server = await start();
    const phone = await registeredPhone(server);
    const caller = await callerOf(server);
    const ours = `Digest username="jan", realm="${realm}", nonce="n", uri="x", response="r"`;
    const others = 'Digest username="jan", realm="other.example", nonce="n", uri="x", response="r"';
    const calling = caller.invite(aor, {
      Authorization: [ours, others, 'Digest broken', ours.replace('Digest', 'DIGEST')],
    });
    const invite = await phone.next('INVITE');
    expect(fieldValues(invite.request, 'authorization')).toEqual([others]);
    expect(fieldValues(invite.request, 'proxy-authorization')).toEqual([]);
    await phone.answer(invite, 486);
    expect((await calling).status).toBe(486);
  });
});

describe('a file that its owner filled', () => {
  test('with 100 contacts rings MaxContacts of them', async () => {
    const server = await start(['MaxContacts 100']);
    const phone = await callerOf(server);
    const contacts = Array.from({ length: 100 }, (_, at) => `<${phone.contact};x=${at}>`);
    expect((await server.register(phone.agent, { contact: contacts })).response.status).toBe(200);
    server.reload(['MaxContacts 10']);
    const calling = (await callerOf(server)).invite(aor);
    for (let at = 0; at < 10; at++) await phone.answer(await phone.next('INVITE'), 486);
    expect((await calling).status).toBe(486);
    const more = await answersBefore(phone.agent);
    expect(more.filter((octets) => octets.startsWith('INVITE'))).toEqual([]);
  });

  test.each([
    ['our own socket', (server: TestServer) => `sip:jan@127.0.0.1:${server.port}`],
    ['our TCP socket', (server: TestServer) => `sip:jan@127.0.0.1:${server.port};transport=tcp`],
    ['our own name', () => `sip:jan@${realm}`],
    ['our own name and port', (server: TestServer) => `sip:other@localhost:${server.port}`],
    ['everybody', () => 'sip:jan@255.255.255.255:9'],
    ['nobody', () => 'sip:jan@0.0.0.0:9'],
    ['a name that is nobody’s', () => 'sip:jan@nosuch.invalid'],
    ['port 0', () => 'sip:jan@127.0.0.1:0'],
    ['another transport', () => 'sip:jan@127.0.0.1:9;transport=sctp'],
    ['sips', () => 'sips:jan@127.0.0.1:9'],
    ['a number', () => 'tel:+4930'],
  ])('with %s is 480', async (_, uri) => {
    const server = await start();
    server.write('usrloc', `<${uri(server)}>;${FOREVER}\n`);
    expect((await (await callerOf(server)).invite(aor)).status).toBe(480);
  });

  test.each([
    'sip:x@127.0.0.1\\r\\nX: y',
    'sip:x@127.0.0.1>;tag=1',
    'a b c',
    '"sip:x@y\\"',
    'sip:%00@',
    'ä@ö',
    `jan`,
    'jan+x',
    '%u@%d',
    '%z',
    ';;;',
    'tel:',
    `sip:jan@sip.test;sr=x?Route=%3Csip:victim%3E`,
  ])('with ForwardAlways %s ends the call', async (target) => {
    const server = await start();
    server.write('config', `ForwardAlways ${target}\n`);
    const { status } = await (await callerOf(server)).invite(aor);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).not.toBe(500);
  });
});

describe('a caller with', () => {
  test.each<[string, Record<string, string | string[]>]>([
    [
      'as many Via as may be',
      { Via: Array.from({ length: 127 }, (_, at) => `SIP/2.0/UDP h${at}:1;branch=z9hG4bKv${at}`) },
    ],
    ['as many Route as may be', { Route: Array.from({ length: 200 }, (_, at) => `<sip:h${at}.invalid;lr>`) }],
    [
      'a long Route',
      { Route: Array.from({ length: 1500 }, (_, at) => `<sip:h${at}.invalid;lr>`).join(', ') },
    ],
    [
      'as many Record-Route as may be',
      { 'Record-Route': Array.from({ length: 230 }, () => '<sip:h.invalid;lr>') },
    ],
    [
      'History-Info of nonsense',
      { 'History-Info': ['<sip:x>;index=1', ',,,', '"', `<a>;index=${'1.'.repeat(900)}`] },
    ],
    ['a quote in Route', { Route: '"<sip:x' }],
  ])('%s gets an answer', async (_, fields) => {
    const server = await start();
    server.write('config', 'ForwardBusy eva\n');
    const phone = await registeredPhone(server);
    const caller = await callerOf(server);
    const { Via: vias = [], ...rest } = fields;
    const own = `SIP/2.0/UDP 127.0.0.1:${caller.agent.local.port};branch=z9hG4bK${Math.random()};rport`;
    const calling = caller.invite(aor, vias.length > 0 ? { ...rest, Via: [own, ...vias] } : rest);
    void phone.next('INVITE', 2000).then(
      (invite) => phone.answer(invite, 486),
      () => {},
    );
    const { status } = await calling;
    expect(status).toBeGreaterThanOrEqual(400);
  });

  test.each(['UDP', 'TCP'])('a CANCEL from another address cancels nothing (%s in Via)', async () => {
    const server = await start();
    const phone = await registeredPhone(server);
    const caller = await callerOf(server);
    const calling = caller.invite(aor);
    const invite = await phone.next('INVITE');
    await phone.answer(invite, 180);
    // What the phone sees of the caller's own Via is all that a CANCEL needs.
    const thief = await server.agent('udp', '127.0.0.2');
    const via = fieldValues(invite.request, 'via')[1]?.replace(/;received=[^;]+|;rport=\d+/g, '') as string;
    const fields = {
      Via: via,
      From: fieldValue(invite.request, 'from'),
      To: fieldValue(invite.request, 'to'),
      'Call-ID': fieldValue(invite.request, 'call-id'),
      CSeq: (fieldValue(invite.request, 'cseq') as string).replace('INVITE', 'CANCEL'),
    };
    expect((await thief.request({ method: 'CANCEL', requestUri: aor, fields })).status).toBe(481);
    await phone.answer(invite, 200, { body: SDP });
    expect((await calling).status).toBe(200);
  });
});

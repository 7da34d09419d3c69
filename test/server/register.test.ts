// REGISTER end to end (RFC 3261 §10.3, DESIGN §4.3 to §4.6): whose address-of-record, which domain, which contacts, in which
// order, and what usrloc holds once it is answered.

import { afterEach, describe, expect, test } from 'vitest';
import { fieldValue, fieldValues } from '../../src/message/fields.ts';
import type { Agent, RegisterOptions, Registration } from '../agent/agent.ts';
import { answersBefore, answersTo, realm, TestServer, type TestServerOptions } from './running-server.ts';

let server: TestServer;
let agent: Agent;

async function start(options: TestServerOptions = {}): Promise<void> {
  server = await TestServer.start(options);
  agent = await server.agent();
}

afterEach(() => server.stop());

const register = (options: Partial<RegisterOptions> = {}): Promise<Registration> =>
  server.register(agent, options);

/** The URIs of the Contact fields of an answer. */
function contacts({ response }: Registration): string[] {
  return fieldValues(response, 'contact').map((value) => /<([^>]+)>/.exec(value)?.[1] ?? value);
}

describe('whose and where', () => {
  test('To of another user is 403 after authentication, and 401 before', async () => {
    await start();
    const { first, status, response } = await register({ user: 'eva', authUsername: 'jan' });
    expect([first.status, status, response.reason]).toEqual([401, 403, 'Forbidden']);
    expect(server.usrloc()).toEqual([]);
    expect(server.log('refused').join('\n')).toContain('why=jan uses the address of eva');
  });

  test.each(['JAN', 'jan ', 'jan;x=y', 'j%61n%00', 'jan%2F', '..'])('To %s is not jan', async (user) => {
    await start();
    const { status } = await register({
      authUsername: 'jan',
      extraFields: { To: `<sip:${user}@${realm}>` },
    });
    expect([400, 403]).toContain(status);
    expect(server.usrloc()).toEqual([]);
  });

  test('To with the same name escaped is (§19.1.4)', async () => {
    await start();
    expect((await register({ extraFields: { To: `<sip:%6a%61n@${realm}>` } })).status).toBe(200);
  });

  test('a third party may be in From: To is what counts (§10.2)', async () => {
    await start();
    expect((await register({ extraFields: { From: `<sip:eva@${realm}>;tag=a` } })).status).toBe(200);
    expect(server.usrloc()).toHaveLength(1);
  });

  test('a domain that is not served is 403, unasked, and the log has the line that would allow it', async () => {
    await start();
    const { status, response } = await register({ domain: 'elsewhere.example' });
    expect([status, response.reason]).toEqual([403, 'Domain Not Served Here']);
    expect(server.log('refused').join('\n')).toContain(
      'REGISTER for elsewhere.example: to serve it, add `Domain elsewhere.example`',
    );
    const to = await register({ extraFields: { To: '<sip:jan@elsewhere.example>' } });
    expect(to.status).toBe(403);
  });

  test.each(['SIP.test', 'sip.test.', 'localhost', '127.0.0.1', '127.0.0.1:PORT', 'example.com'])(
    'jan@%s is jan, and the realm is the same',
    async (written) => {
      await start({ config: ['Domain example.com'] });
      const domain = written.replace('PORT', `${server.port}`);
      const registration = await register({ domain });
      expect(registration.status).toBe(200);
      expect(registration.challenge?.realm).toBe(realm);
      expect(server.usrloc()).toHaveLength(1);
    },
  );

  test('sips is 416 in the Request-URI and 403 in Contact, never less', async () => {
    await start();
    const sips = await register({ mutate: (request) => ({ ...request, requestUri: `sips:${realm}` }) });
    expect(sips.status).toBe(416);
    expect((await register({ contact: '<sips:jan@127.0.0.1:5071>' })).status).toBe(403);
    expect(server.usrloc()).toEqual([]);
  });

  test.each([
    ['our own socket', () => `<sip:jan@127.0.0.1:${server.port}>`],
    ['our own socket by a name', () => `<sip:jan@localhost:${server.port}>`],
    ['port 0', () => '<sip:jan@127.0.0.1:0>'],
    ['broadcast', () => '<sip:jan@255.255.255.255>'],
    ['multicast', () => '<sip:jan@224.0.1.75>'],
    ['multicast of IPv6', () => '<sip:jan@[ff02::1]>'],
    ['no address', () => '<sip:jan@0.0.0.0>'],
    ['link-local from elsewhere', () => '<sip:jan@169.254.1.1>'],
    ['tel', () => '<tel:+4930123456>'],
    ['mailto', () => '<mailto:jan@sip.test>'],
  ])('a contact that is %s is 403 and takes the whole request with it', async (_, contact) => {
    await start();
    const { status } = await register({ contact: ['<sip:jan@127.0.0.1:5071>', contact()] });
    expect(status).toBe(403);
    expect(server.usrloc()).toEqual([]);
  });

  test('a Require that is not known is 420 and named (§8.2.2.3)', async () => {
    await start();
    const { status, response } = await register({ extraFields: { Require: 'path, gruu, outbound' } });
    expect([status, fieldValue(response, 'unsupported')]).toEqual([420, 'gruu, outbound']);
  });
});

describe('contacts', () => {
  test('come, are refreshed, and go', async () => {
    await start();
    const [one, two] = ['<sip:jan@127.0.0.1:5071>', '<sip:jan@127.0.0.1:5072>'];
    expect(contacts(await register({ contact: [one, two] }))).toHaveLength(2);
    expect(contacts(await register({ contact: one, expires: 120 }))).toHaveLength(2);
    const left = await register({ contact: `${one};expires=0` });
    expect(contacts(left)).toEqual(['sip:jan@127.0.0.1:5072']);
    expect(contacts(await register({ contact: null }))).toEqual(['sip:jan@127.0.0.1:5072']);
    const life = server.log().filter((line) => /^(un)?registered /.test(line));
    expect(life.map((line) => line.replace(/ .*:(?=507)/, ' '))).toEqual([
      'registered 5071',
      'registered 5072',
      'unregistered 5071',
    ]);
  });

  test('all of one request are one write, or none holds', async () => {
    await start();
    const { status } = await register({
      contact: ['<sip:jan@127.0.0.1:5071>', '<sip:jan@127.0.0.1:5072>;expires=5'],
    });
    expect(status).toBe(423);
    expect(server.usrloc()).toEqual([]);
    expect(contacts(await register({ contact: null }))).toEqual([]);
  });

  test('are kept as sent, with what the phone said of them, and sr-* of the network is dropped', async () => {
    await start();
    const contact =
      '"Jan \\"J\\" X" <sip:jan@127.0.0.1:5071;ob>;q=0.7;methods="INVITE, ACK";+sip.instance="<urn:uuid:1>";reg-id=1;sr-received="sip:10.0.0.1";sr-mac="x"';
    const { response } = await register({ contact });
    expect(fieldValue(response, 'contact')).toMatch(
      /^<sip:jan@127\.0\.0\.1:5071;ob>;q=0\.7;methods="INVITE, ACK";\+sip\.instance="<urn:uuid:1>";reg-id=1;expires=3600$/,
    );
    const [line = ''] = server.usrloc();
    expect(line).not.toContain('10.0.0.1');
    expect(line).not.toContain('sr-mac="x"');
    expect(line).toMatch(/^"Jan \\"J\\" X" <sip:jan@127\.0\.0\.1:5071;ob>;q=0\.7;/);
  });

  test('* takes all away, alone and with Expires: 0 only (§10.2.2)', async () => {
    await start();
    await register({ contact: ['<sip:jan@127.0.0.1:5071>', '<sip:jan@127.0.0.1:5072>'] });
    expect((await register({ contact: '*' })).status).toBe(400);
    expect((await register({ contact: '*', expires: 60 })).status).toBe(400);
    expect((await register({ contact: ['*', '<sip:jan@127.0.0.1:5073>'], expires: 0 })).status).toBe(400);
    expect(contacts(await register({ contact: null }))).toHaveLength(2);
    const { status, response } = await register({ contact: '*', expires: 0 });
    expect([status, fieldValues(response, 'contact')]).toEqual([200, []]);
    expect(contacts(await register({ contact: null }))).toEqual([]);
  });

  test('too brief is 423 with Min-Expires, too long is cut, none said is the default', async () => {
    await start({ config: ['MinExpires 100', 'DefaultExpires 200', 'MaxExpires 300'] });
    const brief = await register({ expires: 99 });
    expect([brief.status, fieldValue(brief.response, 'min-expires')]).toEqual([423, '100']);
    for (const [expires, given] of [
      [100, 100],
      [undefined, 200],
      [301, 300],
      [4_294_967_295, 300],
    ]) {
      const { response } = await register({ expires });
      expect(fieldValue(response, 'contact')).toMatch(new RegExp(`;expires=${given}$`));
    }
    const { response } = await register({ contact: '<sip:jan@127.0.0.1:5071>;expires=150', expires: 250 });
    expect(fieldValues(response, 'contact').join()).toMatch(/5071>;expires=150/);
  });

  test('over MaxContacts the oldest goes', async () => {
    await start({ config: ['MaxContacts 2'] });
    for (const port of [5071, 5072, 5073]) {
      await register({ contact: `<sip:jan@127.0.0.1:${port}>` });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(contacts(await register({ contact: null }))).toEqual([
      'sip:jan@127.0.0.1:5072',
      'sip:jan@127.0.0.1:5073',
    ]);
    const three = [5074, 5075, 5076].map((port) => `<sip:jan@127.0.0.1:${port}>`);
    expect((await register({ contact: three })).status).toBe(403);
    expect(contacts(await register({ contact: null }))).toHaveLength(2);
  });

  test('over MaxContacts with the policy reject the new one is refused, a refresh is not', async () => {
    await start({ config: ['MaxContacts 1', 'MaxContactsPolicy reject'] });
    await register({ contact: '<sip:jan@127.0.0.1:5071>' });
    const { status, response } = await register({ contact: '<sip:jan@127.0.0.1:5072>' });
    expect([status, response.reason]).toEqual([403, 'Too Many Contacts']);
    expect((await register({ contact: '<sip:jan@127.0.0.1:5071>' })).status).toBe(200);
    expect(contacts(await register({ contact: null }))).toEqual(['sip:jan@127.0.0.1:5071']);
  });

  test('of one instance and reg-id are one, whatever their URI, and need no room', async () => {
    await start({ config: ['MaxContacts 1', 'MaxContactsPolicy reject'] });
    const instance = ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>";reg-id=1';
    await register({ contact: `<sip:jan@127.0.0.1:5071>${instance}` });
    const { status, response } = await register({ contact: `<sip:jan@127.0.0.1:5072>${instance}` });
    expect([status, fieldValues(response, 'contact').length]).toEqual([200, 1]);
    expect(fieldValue(response, 'contact')).toContain(':5072>');
  });

  test.each(['\t', '\\\x01', 'a\t\\\tb', '\\\x7f'])(
    'of one instance are one over a restart too, though no line can hold it as sent: %j',
    async (octets) => {
      await start();
      const contact = (port: number) =>
        `<sip:jan@127.0.0.1:${port}>;+sip.instance="<urn:x:${octets}1>";reg-id=1`;
      await register({ contact: contact(5071) });
      expect(fieldValues((await register({ contact: contact(5072) })).response, 'contact')).toHaveLength(1);
      await server.restart();
      expect(fieldValues((await register({ contact: contact(5073) })).response, 'contact')).toHaveLength(1);
      expect(contacts(await register({ contact: null }))).toEqual(['sip:jan@127.0.0.1:5073']);
    },
  );

  test('that are equal by §19.1.4 are one', async () => {
    await start();
    await register({ contact: '<sip:jan@127.0.0.1:5071;transport=udp;ob>' });
    const { response } = await register({ contact: '<SIP:%6Aan@127.0.0.1:5071;ob;Transport=UDP>' });
    expect(fieldValues(response, 'contact')).toHaveLength(1);
    expect(contacts(await register({ contact: null }))).toHaveLength(1);
  });

  test('expire by themselves', async () => {
    await start({ config: ['MinExpires 1'] });
    const { response } = await register({ expires: 1 });
    expect(fieldValue(response, 'contact')).toMatch(/;expires=1$/);
    await expect
      .poll(async () => contacts(await register({ contact: null })), { interval: 100, timeout: 3000 })
      .toEqual([]);
  });

  test('bring their Path along (RFC 3327)', async () => {
    await start();
    const { response } = await register({
      extraFields: { Path: ['<sip:p1.example;lr>', '<sip:p2.example;lr>'], Supported: 'path' },
    });
    expect(fieldValues(response, 'path')).toEqual(['<sip:p1.example;lr>', '<sip:p2.example;lr>']);
    expect(server.usrloc()[0]).toContain('sr-path="<sip:p1.example;lr>, <sip:p2.example;lr>"');
  });

  test('of IPv6 over IPv6', async () => {
    server = await TestServer.start({ addresses: ['::1'] });
    for (const transport of ['udp', 'tcp'] as const) {
      agent = await server.agent(transport, '::1');
      const { status, response } = await register({ domain: `[::1]:${server.port}` });
      expect(status).toBe(200);
      expect(fieldValue(response, 'contact')).toContain('<sip:jan@[::1]:');
    }
  });
});

describe('order', () => {
  test('a lower or equal CSeq of the same Call-ID is 500 and changes nothing (§10.3 step 7)', async () => {
    await start();
    await register({ cseq: 10 });
    const before = server.usrloc();
    for (const cseq of [4, 10]) {
      const { status, response } = await register({ cseq, expires: 0 });
      expect([status, response.reason]).toEqual([500, 'CSeq Out of Order']);
    }
    expect(server.usrloc()).toEqual(before);
    expect((await register({ cseq: 12, expires: 0 })).status).toBe(200);
  });

  test('a late REGISTER does not bring back what its Call-ID took away', async () => {
    await start();
    await register({ cseq: 10 });
    await register({ cseq: 20, expires: 0 });
    expect((await register({ cseq: 15 })).status).toBe(500);
    expect(contacts(await register({ contact: null }))).toEqual([]);
    expect((await register({ cseq: 30 })).status).toBe(200);
  });

  test('another Call-ID starts anew', async () => {
    await start();
    await register({ cseq: 1000 });
    expect((await register({ cseq: 1, callId: 'after-reboot' })).status).toBe(200);
    expect(contacts(await register({ contact: null }))).toHaveLength(1);
  });

  test('it holds over a restart of the server', async () => {
    await start();
    await register({ cseq: 10 });
    await server.restart();
    expect((await register({ cseq: 5 })).status).toBe(500);
    expect((await register({ cseq: 12 })).status).toBe(200);
  });
});

describe('a retransmission', () => {
  test('of what was registered gets the very same answer, and usrloc one line', async () => {
    await start();
    const { log, response } = await register();
    const sent = log[2]?.octets as string;
    for (let round = 0; round < 3; round++) expect((await agent.exchange(sent)).octets).toBe(response.octets);
    expect(server.usrloc()).toHaveLength(1);
  });

  test('of a wrong password gets the very same answer', async () => {
    await start();
    const { log, response } = await register({ password: 'wrong' });
    expect((await agent.exchange(log[2]?.octets as string)).octets).toBe(response.octets);
  });

  test('that comes before the answer is given is answered once', async () => {
    await start();
    const asked = (await register({ password: 'wrong' })).challenge;
    const { log } = await register({ answering: asked, password: 'wrong' });
    const sent = (log[0]?.octets ?? '').replace(/branch=[^;]+/, 'branch=z9hG4bKagain');
    await Promise.all([agent.sendRaw(sent), agent.sendRaw(sent), agent.sendRaw(sent)]);
    const first = await agent.nextMessage();
    expect(first.octets).toMatch(/^SIP\/2\.0 401 /);
    expect(await answersBefore(agent)).toEqual([]);
  });

  test('of what was challenged has the same To tag (§8.2.7)', async () => {
    await start();
    const { log } = await register({ contact: null });
    const [one, two] = await Promise.all([1, 2].map(() => answersTo(agent, log[0]?.octets as string)));
    const tags = [...(one ?? []), ...(two ?? [])].map((answer) => /^To:.*;tag=(\S+)/im.exec(answer)?.[1]);
    expect(tags).toHaveLength(2);
    expect(new Set(tags).size).toBe(1);
  });
});

test('a thousand registrations of one phone leave a short usrloc that says the same', async () => {
  await start();
  const { challenge } = await register();
  for (let nc = 2; nc <= 1000; nc++) expect((await register({ answering: challenge, nc })).status).toBe(200);
  await expect.poll(() => server.usrloc().length).toBeLessThan(200);
  expect(server.log('compacted').length).toBeGreaterThan(1);
  expect(contacts(await register({ contact: null }))).toHaveLength(1);
  await server.restart();
  expect(contacts(await register({ contact: null }))).toHaveLength(1);
});

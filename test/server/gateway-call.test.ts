// Calls out through gateways (DESIGN §3): digest, failover, whom the gateway sees; real sockets, one gateway an address.

import { afterEach, describe, expect, test } from 'vitest';
import { fieldValue } from '../../src/message/fields.ts';
import { type GatewayOptions, secret, TestGateway, writeCredentials } from './gateway.ts';
import { Phone, SDP } from './phone.ts';
import { realm, TestServer } from './running-server.ts';

const servers: TestServer[] = [];
const number = `sip:0049301234@${realm}`;

async function start(config: readonly string[] = []): Promise<TestServer> {
  const server = await TestServer.start({ config });
  servers.push(server);
  return server;
}

/** A server with a gateway for all numbers with 00, which it calls with +. */
async function startWithGateway(options: GatewayOptions = {}, lines: readonly string[] = []) {
  const server = await start();
  const gateway = await TestGateway.open(server, options);
  const pattern = ['Pattern sip:00*@*', 'Strip 2', 'Prefix +', `Credentials ${writeCredentials(server)}`];
  server.reload(gateway.block('provider', ...pattern, ...lines));
  const caller = new Phone(await server.agent('udp'), server.user);
  return { server, gateway, caller };
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

describe('a gateway that asks who we are', () => {
  test.each([
    [407, 'MD5'],
    [407, 'SHA-256'],
    [401, 'SHA-256'],
  ] as const)(
    'with %i and %s is told, and the caller sees nothing of it (§22.3)',
    async (status, algorithm) => {
      const { server, gateway, caller } = await startWithGateway({ status, algorithms: [algorithm] });
      const inviting = caller.invite(number);
      const invite = await gateway.authenticated('INVITE');
      expect(invite.request.requestUri).toBe(`sip:+49301234@127.0.0.2:${gateway.agent.local.port}`);
      expect(fieldValue(invite.request, 'cseq')).toBe('2 INVITE');
      expect(fieldValue(invite.request, 'from')).toContain(`sip:jan@${realm}`);
      expect(gateway.challenges).toEqual([status]);
      await gateway.answer(invite, 200, { body: SDP });
      const established = await inviting;
      expect(established.status).toBe(200);
      await caller.confirm(established);
      await gateway.next('ACK');

      const ending = caller.agent.request(caller.within('BYE', established, 90));
      const bye = await gateway.authenticated('BYE');
      expect(gateway.challenges).toEqual([status, status]);
      await gateway.answer(bye, 200);
      expect((await ending).status).toBe(200);
      expect(server.log().filter((line) => line.includes(secret) || line.includes('response='))).toEqual([]);
    },
  );

  test('is told once more when the nonce was stale', async () => {
    const { gateway, caller } = await startWithGateway({ staleNonces: 1 });
    const inviting = caller.invite(number);
    const invite = await gateway.authenticated('INVITE');
    expect(gateway.challenges).toEqual([407, 407]);
    await gateway.answer(invite, 486);
    expect((await inviting).status).toBe(486);
  });

  test('hears a password that is wrong once', async () => {
    const { server, gateway, caller } = await startWithGateway();
    writeCredentials(server, 'trunk:wrong\n');
    const inviting = caller.invite(number);
    const asking = gateway.authenticated('INVITE').catch(() => undefined);
    expect((await inviting).status).toBe(500);
    expect(gateway.challenges).toEqual([407, 407]);
    expect(server.log('gateway-refused')).toEqual([
      'gateway-refused gateway=provider method=INVITE status=407',
    ]);
    await gateway.agent.close();
    await asking;
  });

  test('is told nothing where the file can be read by others, and the log says why', async () => {
    const { server, gateway, caller } = await startWithGateway();
    server.reload(gateway.block('provider', 'Pattern sip:00*@*', 'Credentials /etc/passwd'));
    const inviting = caller.invite(number);
    const asking = gateway.authenticated('INVITE').catch(() => undefined);
    expect((await inviting).status).toBe(500);
    expect(gateway.challenges).toEqual([407]);
    expect(server.log('fault').join()).toContain('/etc/passwd');
    await gateway.agent.close();
    await asking;
  });
});

test('whom From names is asserted in place of the caller, whose own From stays (RFC 3325)', async () => {
  const { gateway, caller } = await startWithGateway({}, ['From +4930777@example.net']);
  const inviting = caller.invite(number);
  const invite = await gateway.authenticated('INVITE');
  expect(fieldValue(invite.request, 'p-asserted-identity')).toContain('<sip:+4930777@example.net>');
  expect(fieldValue(invite.request, 'from')).toContain(`<sip:jan@${realm}>`);
  await gateway.answer(invite, 486);
  expect((await inviting).status).toBe(486);
});

describe('of two gateways', () => {
  async function startWithTwo(first: string) {
    const server = await start();
    const gateways = [
      await TestGateway.open(server, { address: '127.0.0.2' }),
      await TestGateway.open(server, { address: '127.0.0.3' }),
    ] as const;
    const blocks = [
      ...gateways[0].block('first', 'Pattern sip:00*@*'),
      ...gateways[1].block('second', 'Pattern sip:*@*', 'Strip 2', 'Prefix +'),
    ];
    server.reload(first === '' ? blocks : blocks.map((line) => (/127\.0\.0\.2/.test(line) ? first : line)));
    return { server, gateways, caller: new Phone(await server.agent('udp'), server.user) };
  }

  test('the second is tried when the first answers 503', async () => {
    const { gateways, caller } = await startWithTwo('');
    const inviting = caller.invite(number);
    await gateways[0].answer(await gateways[0].next('INVITE'), 503);
    const invite = await gateways[1].next('INVITE');
    expect(invite.request.requestUri).toMatch(/^sip:\+49301234@127\.0\.0\.3/);
    await gateways[1].answer(invite, 200, { body: SDP });
    expect((await inviting).status).toBe(200);
  });

  test('the second is tried when the first cannot be reached', async () => {
    const { gateways, caller } = await startWithTwo('Address sip:127.0.0.2:9;transport=tcp');
    const inviting = caller.invite(number);
    await gateways[1].answer(await gateways[1].next('INVITE'), 200, { body: SDP });
    expect((await inviting).status).toBe(200);
  });

  test('the second hears nothing of a call that the first has an answer for', async () => {
    const { gateways, caller } = await startWithTwo('');
    const inviting = caller.invite(number);
    await gateways[0].answer(await gateways[0].next('INVITE'), 404);
    expect((await inviting).status).toBe(404);
    await expect(gateways[1].agent.nextMessage(1)).rejects.toThrow('no message');
  });

  test('only 500 is left when both are in trouble: 503 would keep the caller away from us (§16.7)', async () => {
    const { gateways, caller } = await startWithTwo('');
    const inviting = caller.invite(number);
    for (const gateway of gateways) await gateway.answer(await gateway.next('INVITE'), 503);
    expect((await inviting).status).toBe(500);
  });
});

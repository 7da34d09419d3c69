// Phones against a server that asks for SHA-256 (RFC 8760): linphonec registers with it, and the phones that know
// MD5 only when that is offered first. (baresip 1.0 gives up when SHA-256 is offered at all.)

import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Account, Accounts } from '../host/accounts.ts';
import { realm, setPassword } from '../host/passwords.ts';
import { PrivateHost } from '../host/private-host.ts';
import { describeNeeding } from '../host/required.ts';
import { Server } from '../host/server.ts';
import { expectRefused, expectRegistered } from './registration.ts';

describe.each([
  ['SHA-256', ['linphonec']],
  ['SHA-256 MD5', ['linphonec']],
  ['MD5 SHA-256', ['linphonec', 'sipp', 'sipsak']],
] as const)('DigestAlgorithms %s', (algorithms, able) => {
  describeNeeding(['root', 'useradd', 'setpriv', 'unshare'], 'registers', () => {
    let accounts: Accounts;
    let host: PrivateHost;
    let server: Server;
    let jan: Account;

    beforeAll(async () => {
      accounts = new Accounts();
      host = new PrivateHost();
      jan = accounts.add('jan');
      setPassword(jan.name, 'secret', { host });
      server = await Server.start({ host, config: [`Realm ${realm}`, `DigestAlgorithms ${algorithms}`] });
    });

    afterAll(async () => {
      await server?.stop();
      accounts?.remove();
      host?.remove();
    });

    for (const name of able)
      describeNeeding([name], name, () => {
        const line = {
          password: 'secret',
          domain: '127.0.0.1',
          address: '127.0.0.1',
          transport: 'udp',
        } as const;

        test.each(['udp', 'tcp'] as const)('over %s', async (transport) => {
          await expectRegistered(name, jan, { ...line, transport, port: server.port });
        });

        test('not with a wrong password', async () => {
          await expectRefused(name, jan, { ...line, password: 'wrong', port: server.port });
        });
      });
  });
});

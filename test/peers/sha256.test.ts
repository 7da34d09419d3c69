// Phones against a server that asks for SHA-256 (RFC 8760): linphonec registers with it; the phones that know MD5 only
// say that they failed, and register when MD5 is offered first.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Account, Accounts } from '../host/accounts.ts';
import { realm, setPassword } from '../host/passwords.ts';
import { PrivateHost } from '../host/private-host.ts';
import { describeNeeding } from '../host/required.ts';
import { Server } from '../host/server.ts';
import { phones } from './phones.ts';
import { liveContacts } from './usrloc.ts';

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
        test.each(['udp', 'tcp'] as const)('over %s', async (transport) => {
          const way = { address: '127.0.0.1', domain: '127.0.0.1', transport } as const;
          const { outcome, hangUp } = await phones[name].register({
            ...way,
            user: jan.name,
            password: 'secret',
            port: server.port,
          });
          const contacts = liveContacts(jan).filter((one) =>
            one.userAgent?.startsWith(phones[name].userAgent),
          );
          await hangUp();
          expect({ outcome, contacts: contacts.length }).toEqual({ outcome: 'registered', contacts: 1 });
        });

        test('not with a wrong password', async () => {
          const { outcome, hangUp } = await phones[name].register({
            address: '127.0.0.1',
            domain: '127.0.0.1',
            transport: 'udp',
            user: jan.name,
            password: 'wrong',
            port: server.port,
          });
          await hangUp();
          expect(outcome).toBe('refused');
        });
      });
  });
});

// Real phones register over UDP and TCP, IPv4 and IPv6, by name and by bare IP, against a server run by root with real
// accounts and against one run by an ordinary account for itself.

import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Account, Accounts } from '../host/accounts.ts';
import { realm, setPassword } from '../host/passwords.ts';
import { PrivateHost } from '../host/private-host.ts';
import { describeNeeding } from '../host/required.ts';
import { Server } from '../host/server.ts';
import { phoneNames, phones } from './phones.ts';
import { expectRefused, expectRegistered } from './registration.ts';

/** Passwords that phones, shells and files each have their own ideas about. */
const passwords = {
  'with colons': 'a:b:c',
  'with quotes': `q"u"o'te`,
  'with spaces': 'two small words',
  'in UTF-8': 'grüße€',
};

describe.each([
  ['root', false],
  ['an ordinary account (--own)', true],
])('a server run by %s', (_, own) => {
  describeNeeding(['root', 'useradd', 'setpriv', 'unshare'], 'registers', () => {
    let accounts: Accounts;
    let host: PrivateHost;
    let server: Server;
    let jan: Account;

    beforeAll(async () => {
      accounts = new Accounts();
      host = new PrivateHost();
      jan = accounts.add('jan', own ? [] : ['sip']);
      setPassword(jan.name, 'secret', { host, account: own ? jan : undefined });
      server = await Server.start({ host, account: own ? jan : undefined, config: [`Realm ${realm}`] });
    });

    afterAll(async () => {
      await server?.stop();
      accounts?.remove();
      host?.remove();
    });

    for (const name of phoneNames)
      describeNeeding([name], name, () => {
        const { ipv6, anyDomain } = phones[name];
        const line = () =>
          ({
            password: 'secret',
            domain: '127.0.0.1',
            address: '127.0.0.1',
            transport: 'udp',
            port: server.port,
          }) as const;

        const domains = { '127.0.0.1': '127.0.0.1', '::1': '[::1]' };
        const ways = (['udp', 'tcp'] as const).flatMap((transport) =>
          (ipv6 ? (['127.0.0.1', '::1'] as const) : (['127.0.0.1'] as const)).flatMap((address) =>
            (anyDomain ? [realm, domains[address]] : [domains[address]]).map(
              (domain) => [transport, address, domain] as const,
            ),
          ),
        );

        test.each(ways)('over %s at %s as user@%s', async (transport, address, domain) => {
          await expectRegistered(name, jan, { ...line(), transport, address, domain });
        });

        test('is told of a wrong password, and leaves no contact', async () => {
          await expectRefused(name, jan, { ...line(), password: 'wrong' });
        });

        describe('with a password', () => {
          test.each(Object.entries(passwords))('%s', async (_, password) => {
            setPassword(jan.name, password, { host });
            try {
              await expectRegistered(name, jan, { ...line(), password });
            } finally {
              setPassword(jan.name, 'secret', { host });
            }
          });
        });
      });
  });
});

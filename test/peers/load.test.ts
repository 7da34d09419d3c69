// 5,000 registrations by sipp, none failed: of 500 real accounts against root's server, of one against his own.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Account, Accounts } from '../host/accounts.ts';
import { realm, setPassword, setPasswords } from '../host/passwords.ts';
import { PrivateHost } from '../host/private-host.ts';
import { describeNeeding } from '../host/required.ts';
import { Server } from '../host/server.ts';
import { liveContacts } from './registration.ts';
import { sippLoad } from './sipp.ts';

const registrations = 5_000;
const atOnce = 80;
/** useradd and userdel of 500 take 12 s each on an idle machine, and several times that on a busy disk. */
const manyAccountsMs = 240_000;

describe.each([
  ['500 accounts, by root', 500, false],
  ['one account, by itself (--own)', 1, true],
])('a server of %s', (_, count, own) => {
  describeNeeding(['root', 'useradd', 'setpriv', 'unshare', 'sipp'], 'takes 5,000 registrations', () => {
    let accounts: Accounts;
    let host: PrivateHost;
    let server: Server;
    let users: Account[];

    beforeAll(async () => {
      accounts = new Accounts();
      host = new PrivateHost();
      users = Array.from({ length: count }, (_, index) => accounts.add(`u${index}`, own ? [] : ['sip']));
      const [account] = own ? users : [];
      if (account) setPassword(account.name, 'secret', { host, account });
      else
        setPasswords(
          users.map(({ name }) => ({ user: name, password: 'secret' })),
          { host },
        );
      server = await Server.start({ host, account, config: [`Realm ${realm}`] });
    }, manyAccountsMs);

    afterAll(async () => {
      await server?.stop();
      accounts?.remove();
      host?.remove();
    }, manyAccountsMs);

    test.each([
      ['udp', '127.0.0.1'],
      ['udp', '::1'],
      ['tcp', '127.0.0.1'],
      ['tcp', '::1'],
    ] as const)('over %s at %s', async (transport, address) => {
      const result = await sippLoad({
        users: users.map(({ name }) => ({ user: name, password: 'secret' })),
        domain: realm,
        address,
        port: server.port,
        transport,
        registrations,
        atOnce,
      });
      expect(result).toEqual({ registered: registrations, failed: 0 });
      const without = users.filter((user) =>
        liveContacts(user).every(({ uri }) => !uri.toLowerCase().includes(`transport=${transport}`)),
      );
      expect(without).toEqual([]);
    });
  });
});

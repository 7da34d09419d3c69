// Accounts in PostgreSQL and MariaDB as Debian has them, in the tables that Debian's Kamailio makes.

import { startMariadb, startPostgres } from '../host/databases.ts';
import { describeNeeding } from '../host/required.ts';
import { databaseBackend, testCredentials } from '../server/credentials-suite.ts';
import { testDatabase } from '../server/database-suite.ts';

describeNeeding(['psql', 'setpriv', 'kamailio'], 'PostgreSQL', () => {
  testCredentials('PostgreSQL', databaseBackend(startPostgres), 'of example');
  testDatabase('PostgreSQL', startPostgres, true);
});
describeNeeding(['mariadbd', 'setpriv', 'kamailio'], 'MariaDB', () => {
  testCredentials('MariaDB', databaseBackend(startMariadb), 'of example');
  testDatabase('MariaDB', startMariadb, true);
});

// Accounts in PostgreSQL and MariaDB as Debian has them.

import { startMariadb, startPostgres } from '../host/databases.ts';
import { describeNeeding } from '../host/required.ts';
import { databaseBackend, testCredentials } from '../server/credentials-suite.ts';

describeNeeding(['psql', 'setpriv'], 'PostgreSQL', () => {
  testCredentials('PostgreSQL', databaseBackend(startPostgres), 'of example');
});
describeNeeding(['mariadbd', 'setpriv'], 'MariaDB', () => {
  testCredentials('MariaDB', databaseBackend(startMariadb), 'of example');
});

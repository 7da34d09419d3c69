// Credentials in ~/.sr/passwd, and accounts in PostgreSQL of PGlite; those of installed databases are in test/peers.

import { startPglite } from '../host/databases.ts';
import { databaseBackend, testCredentials, unixBackend } from './credentials-suite.ts';
import { testDatabase } from './database-suite.ts';

testCredentials('~/.sr/passwd', unixBackend, 'example.com');
testCredentials('PGlite', databaseBackend(startPglite), 'of example');
testDatabase('PGlite', startPglite, false);

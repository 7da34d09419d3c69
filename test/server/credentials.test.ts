// Credentials in ~/.sr/passwd, and in PostgreSQL as it runs in any process; those of installed databases are in test/peers.

import { startPglite } from '../host/databases.ts';
import { databaseBackend, testCredentials, unixBackend } from './credentials-suite.ts';

testCredentials('~/.sr/passwd', unixBackend, 'example.com');
testCredentials('PGlite', databaseBackend(startPglite), 'of example');

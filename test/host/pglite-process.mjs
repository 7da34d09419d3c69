// PostgreSQL of PGlite in a process of its own, on a port of loopback that is said on stdout: `node pglite-process.mjs SCRIPT`.

import { readFileSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

const db = await PGlite.create();
await db.exec(readFileSync(process.argv[2], 'utf8'));
const server = new PGLiteSocketServer({ db, port: 0, host: '127.0.0.1', maxConnections: 20 });
await server.start();
console.log(server.getServerConn());

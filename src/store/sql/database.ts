// The connections to the database behind DbUrl. Whatever is asked is answered, or fails, within a deadline: one that hangs is
// cut off, and the next question makes new connections.

import type { Dialect, Kysely } from 'kysely';
import type { DatabaseUrl } from '../../home/database-url.ts';

/** A row of any table: which columns there are is known when the server starts. */
export type Row = Record<string, unknown>;
export type Tables = Record<string, Row>;

/** Where accounts are. */
export interface Database {
  readonly kind: DatabaseUrl['kind'];
  /** Asks; rejects where no answer comes in time. What was asked may have been done all the same. */
  run<T>(ask: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** Asks within one transaction, alone among those of this name (at most 64 characters) of all servers. */
  transact<T>(name: string, ask: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** Adds rows; those whose keys are there stay as they are. */
  insertNew(table: string, rows: readonly Row[]): Promise<void>;
  /** The columns of each table and view there is, all in lower case. */
  columns(): Promise<ReadonlyMap<string, ReadonlySet<string>>>;
  close(): Promise<void>;
}

/** Says why nothing can be asked, in words for the administrator. */
export class DatabaseFault extends Error {}

/** With 500 within two seconds, the way of the message included. */
const DEADLINE_MS = 1500;
const CONNECTIONS = 10;
/** Questions that wait for a connection. */
const MOST_WAITING = 5000;

/** A connection of either driver, as much as is needed of it. */
interface Connection {
  destroy(): void;
}

interface Opened {
  readonly dialect: Dialect;
  readonly connections: Set<Connection>;
}

/** Opens a database; connections are made when they are needed. `drivers` are loaded now. */
export async function openDatabase(url: DatabaseUrl, password: string | undefined): Promise<Database> {
  const { Kysely, sql } = await driver(() => import('kysely'), 'kysely');
  const { dialect, connections } = await (url.kind === 'mysql' ? openMysql : openPostgres)(url, password);
  const db = new Kysely<Tables>({ dialect });
  let waiting = 0;
  let answeredMs = 0;

  /** What hangs is not waited for; it does not where others were answered meanwhile. */
  function cutOff(): void {
    for (const connection of connections) connection.destroy();
    connections.clear();
  }

  async function run<T>(ask: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    if (waiting >= MOST_WAITING) throw new DatabaseFault('too many questions wait for the database');
    waiting++;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        if (performance.now() - answeredMs >= DEADLINE_MS) cutOff();
        reject(new DatabaseFault(`the database does not answer for ${DEADLINE_MS} ms`));
      }, DEADLINE_MS);
    });
    const asked = ask(db);
    // It may fail when nobody waits for it any more.
    asked.catch(() => {});
    try {
      const answer = await Promise.race([asked, late]);
      answeredMs = performance.now();
      return answer;
    } finally {
      clearTimeout(timer);
      waiting--;
    }
  }

  /** A lock of MySQL's is the connection's, and one of PostgreSQL's the transaction's. */
  async function underLock<T>(name: string, ask: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    if (url.kind === 'postgres')
      return await db.transaction().execute(async (transaction) => {
        await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(transaction);
        return await ask(transaction);
      });
    return await db.connection().execute(async (connection) => {
      const { rows } = await sql<{ got: number }>`select get_lock(${name}, 1) as got`.execute(connection);
      if (Number(rows[0]?.got) !== 1) throw new DatabaseFault('the lock of a user is held for a second');
      try {
        return await connection.transaction().execute(ask);
      } finally {
        await sql`select release_lock(${name})`.execute(connection);
      }
    });
  }

  return {
    kind: url.kind,
    run,
    transact: (name, ask) => run(() => underLock(name, ask)),
    async insertNew(table, rows) {
      if (rows.length === 0) return;
      await run((of) => {
        const insert = of.insertInto(table).values([...rows]);
        return (url.kind === 'mysql' ? insert.ignore() : insert.onConflict((is) => is.doNothing())).execute();
      });
    },
    async columns() {
      const tables = await run((of) => of.introspection.getTables());
      const found = new Map<string, Set<string>>();
      for (const { name, columns } of tables)
        found.set(name.toLowerCase(), new Set(columns.map((column) => column.name.toLowerCase())));
      return found;
    },
    async close() {
      const closed = db.destroy();
      closed.catch(() => {});
      cutOff();
      await closed.catch(() => {});
    },
  };
}

async function openPostgres(url: DatabaseUrl, password: string | undefined): Promise<Opened> {
  const { PostgresDialect } = await driver(() => import('kysely'), 'kysely');
  const { default: pg } = await driver(() => import('pg'), 'pg');
  const pool = new pg.Pool({
    host: url.host,
    port: url.port,
    user: url.user,
    database: url.database,
    password,
    ssl: url.tls === 'no' ? false : { rejectUnauthorized: url.tls === 'verify' },
    max: CONNECTIONS,
    connectionTimeoutMillis: DEADLINE_MS,
    application_name: 'unixsip',
  });
  const connections = new Set<Connection>();
  pool.on('connect', (client) => {
    // Its own types keep the stream from us.
    const { stream } = (client as unknown as { connection: { stream: Connection } }).connection;
    connections.add(stream);
    client.on('end', () => connections.delete(stream));
    // Whoever asked hears of it.
    client.on('error', () => {});
  });
  // Of connections that nobody uses.
  pool.on('error', () => {});
  return { dialect: new PostgresDialect({ pool }), connections };
}

async function openMysql(url: DatabaseUrl, password: string | undefined): Promise<Opened> {
  const { MysqlDialect } = await driver(() => import('kysely'), 'kysely');
  const { createPool } = await driver(() => import('mysql2'), 'mysql2');
  const pool = createPool({
    ...(url.isSocket ? { socketPath: url.host } : { host: url.host, port: url.port }),
    user: url.user,
    database: url.database,
    password,
    ssl: url.tls === 'no' ? undefined : { rejectUnauthorized: url.tls === 'verify' },
    connectionLimit: CONNECTIONS,
    connectTimeout: DEADLINE_MS,
    charset: 'utf8mb4',
  } as Parameters<typeof createPool>[0]);
  const connections = new Set<Connection>();
  pool.on('connection', (connection) => {
    connections.add(connection);
    connection.on('error', () => connections.delete(connection));
    connection.on('end', () => connections.delete(connection));
  });
  return { dialect: new MysqlDialect({ pool }), connections };
}

/** Loads a package that not everybody has. */
async function driver<T>(load: () => Promise<T>, name: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new DatabaseFault(
      `DbUrl: the package ${name} is missing: npm install -g unixsip --include=optional`,
    );
  }
}

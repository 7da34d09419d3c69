// The value of DbUrl: `unix:`, or where a database is, as libpq and Kamailio write it. It never has a password. Pure.

/** A database by its URL. */
export interface DatabaseUrl {
  readonly kind: 'postgres' | 'mysql';
  /** Undefined: the driver's default. */
  readonly user: string | undefined;
  /** A host, or the directory (PostgreSQL) or path (MySQL) of a socket. */
  readonly host: string;
  readonly isSocket: boolean;
  readonly port: number;
  readonly database: string;
  /** TLS, and whether the server's name is verified. */
  readonly tls: 'no' | 'require' | 'verify';
}

/** The URL of accounts that are the host's own. */
export const UNIX_URL = 'unix:';

const URL =
  /^(postgres(?:ql)?|mysql):\/\/(?:([^:@/?#]+)@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]*)(?::(\d{1,5}))?\/([^/?#]+)(?:\?([^#]*))?$/;
const TLS = { disable: 'no', require: 'require', 'verify-full': 'verify' } as const;

/** Reads a URL of a database; undefined for anything else, one with a password included. */
export function parseDatabaseUrl(text: string): DatabaseUrl | undefined {
  const match = URL.exec(text);
  if (match === null) return undefined;
  const [, scheme, user, named = '', port, database = '', options = ''] = match;
  const kind = scheme === 'mysql' ? 'mysql' : 'postgres';
  const wanted = new Map(
    options.split('&').flatMap((option): [string, string][] => {
      const at = option.indexOf('=');
      return option === '' ? [] : [[option.slice(0, Math.max(at, 0)), decoded(option.slice(at + 1)) ?? '']];
    }),
  );
  const socket = wanted.get('host') ?? wanted.get('socket');
  const mode = wanted.get('sslmode') ?? 'disable';
  wanted.delete('host');
  wanted.delete('socket');
  wanted.delete('sslmode');
  if (wanted.size > 0 || !(mode in TLS) || (socket !== undefined && !/^\/./.test(socket))) return undefined;
  const number = port === undefined ? (kind === 'mysql' ? 3306 : 5432) : Number(port);
  const [userName, name] = [user === undefined ? undefined : decoded(user), decoded(database)];
  if (number > 65_535 || name === undefined || (user !== undefined && userName === undefined))
    return undefined;
  return {
    kind,
    user: userName,
    host: socket ?? (named.replace(/[[\]]/g, '') || 'localhost'),
    isSocket: socket !== undefined,
    port: number,
    database: name,
    tls: TLS[mode as keyof typeof TLS],
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

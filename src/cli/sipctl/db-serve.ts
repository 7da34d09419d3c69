// sipctl db serve: the accounts of the host, or one's own alone, as a database server (DESIGN §7). A host's is kept by this process,
// as root, and is another one; one's own is this process.

import { isIP } from 'node:net';
import { dirname } from 'node:path';
import { controlPath } from '../../control/socket-path.ts';
import { clearControlPath } from '../../control/socket-place.ts';
import { startDatabaseServer } from '../../db/server.ts';
import { hostPort } from '../../home/keyword-values.ts';
import { type DatabasePlace, keepDatabase, startOf, tablesSettings } from '../../keeper/database-keeper.ts';
import { createHomeTables } from '../../store/home-tables.ts';
import { readServerSettings, type ServerSettings } from '../../store/server-settings.ts';
import { type Account, findAccountByUid } from '../../unix/nss.ts';
import { hardenProcess } from '../../unix/process-hardening.ts';
import { type Context, listOption, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, type Refusal, refusal } from '../refusal.ts';

const EXIT_CODES = {
  stopped: sysExit.EX_OK.code,
  configuration: sysExit.EX_CONFIG.code,
  system: sysExit.EX_OSERR.code,
  died: sysExit.EX_SOFTWARE.code,
};
/** libpq looks for a socket of this name in the directory that it is told. */
const SOCKET_NAME = '.s.PGSQL.5432';

/** Serves until a signal ends it. */
export async function run(context: Context): Promise<number> {
  hardenProcess();
  const { report } = context;
  const isRoot = process.geteuid?.() === 0;
  const own = isRoot ? undefined : findAccountByUid(process.getuid?.() ?? 0);
  if (!isRoot && own === undefined) {
    report.error(`no account has uid ${process.getuid?.()}`);
    return sysExit.EX_NOUSER.code;
  }
  const source = { file: textOption(context, 'f'), overrides: listOption(context, 'o'), own };
  const { settings, faults } = readServerSettings(source);
  for (const fault of faults) report.fault(fault);
  if (faults.length > 0) return sysExit.EX_CONFIG.code;
  const place = placeOf(textOption(context, 'listen'), settings, own);
  if (isRefusal(place)) {
    report.error(place.text);
    return place.exit;
  }
  const complain = (line: string) => report.error(line);
  const onReady = () =>
    report.print(`Serving the accounts of ${own?.name ?? 'this host'} at ${shown(place)}`);
  if (own !== undefined) return serveOwn(settings, own, place, { complain, onReady });
  return EXIT_CODES[await keepDatabase(settings, place, { complain, onReady })];
}

/** unix:PATH, or ADDRESS:PORT, which only somebody with a password reaches. */
function placeOf(
  listen: string | undefined,
  { keywords }: ServerSettings,
  own: Account | undefined,
): DatabasePlace | Refusal {
  if (listen === undefined) return { path: `${dirname(controlPath(undefined, own))}/${SOCKET_NAME}` };
  if (listen.startsWith('unix:/')) return { path: listen.slice('unix:'.length) };
  const { host = '', port } = hostPort(listen, true) ?? {};
  if (isIP(host) === 0 || port === undefined)
    return refusal(sysExit.EX_USAGE, `--listen ${listen}: expected unix:/PATH or ADDRESS:PORT`);
  if (keywords.DbCredentials === undefined)
    return refusal(
      sysExit.EX_CONFIG,
      `--listen ${listen}: whoever comes by an address needs a password: see DbCredentials in sr_config(5)`,
    );
  return { host, port };
}

function shown(place: DatabasePlace): string {
  return 'path' in place ? place.path : `${place.host} port ${place.port}`;
}

/** One's own account, in this process. */
async function serveOwn(
  settings: ServerSettings,
  own: Account,
  place: DatabasePlace,
  { complain, onReady }: { readonly complain: (line: string) => void; readonly onReady: () => void },
): Promise<number> {
  const start = startOf(settings);
  const why = typeof start === 'string' ? start : undefined;
  const taken = 'path' in place ? await clearControlPath(place.path, own) : undefined;
  if (typeof start === 'string' || taken !== undefined) {
    complain(why ?? (taken as string).replace('ControlSocket', '--listen'));
    return typeof start === 'string' ? sysExit.EX_CONFIG.code : sysExit.EX_OSERR.code;
  }
  const perform = createHomeTables(tablesSettings(settings), own, complain);
  const { verifier } = start;
  const octets = (text: string) => Buffer.from(text, 'base64');
  const server = await startDatabaseServer({
    perform: async (user, operation) => perform(user, operation),
    rules: start.rules,
    access: { ...start.access, peerUids: [own.uid] },
    verifier: verifier && {
      ...verifier,
      salt: octets(verifier.salt),
      storedKey: octets(verifier.storedKey),
      serverKey: octets(verifier.serverKey),
    },
    at: place,
    log: complain,
  }).catch((error: Error) => error.message);
  if (typeof server === 'string') {
    complain(`--listen: ${server}`);
    return sysExit.EX_OSERR.code;
  }
  onReady();
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  await server.close();
  return sysExit.EX_OK.code;
}

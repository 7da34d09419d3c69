// The way from a command to the server that runs: its control socket found, its faults made refusals.

import { type ControlClient, connectControl } from '../../control/client.ts';
import { type ControlFault, errorCodes, isControlFault } from '../../control/protocol.ts';
import { controlPath } from '../../control/socket-path.ts';
import { readServerSettings } from '../../store/server-settings.ts';
import { findAccountByUid } from '../../unix/nss.ts';
import { type Context, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';
import { isRefusal, type Refusal, refusal } from '../refusal.ts';
import { isRoot, perform } from './target.ts';

/** Runs a command of a server's; the connection is closed behind it. */
export function withServer(
  context: Context,
  act: (client: ControlClient, context: Context) => Promise<number | Refusal>,
): Promise<number> {
  return perform(context, async () => {
    const client = await connect(context);
    if (isRefusal(client)) return client;
    try {
      return await act(client, context);
    } finally {
      client.close();
    }
  });
}

/** Asks one thing; a fault becomes a refusal. */
export async function ask<T>(
  client: ControlClient,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
): Promise<T | Refusal> {
  const result = await client.request(method, params);
  return isControlFault(result) ? refusalOfFault(result) : (result as T);
}

/** The first of these sockets where a server listens; a refusal that says how to start one. */
export async function connect(context: Context): Promise<ControlClient | Refusal> {
  const paths = pathsOf(context);
  for (const path of paths) {
    try {
      return await connectControl(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ECONNREFUSED' && code !== 'ENOTDIR')
        return code === 'EACCES'
          ? refusal(sysExit.EX_NOPERM, `${path}: permission denied`)
          : refusal(sysExit.EX_UNAVAILABLE, `${path}: ${code}`);
    }
  }
  return refusal(sysExit.EX_UNAVAILABLE, `no server at ${paths.join(' nor at ')}: start it: sipctl serve`);
}

/** One's own server comes before the host's, for root the other way round. */
function pathsOf(context: Context): string[] {
  const named = textOption(context, 'socket');
  if (named !== undefined) return [named];
  const own = findAccountByUid(process.geteuid?.() ?? 0);
  const paths = [own, undefined].flatMap((account, index) => {
    if (index === 0 && account === undefined) return [];
    return [controlPath(readServerSettings({ own: account }).settings.keywords.ControlSocket, account)];
  });
  return isRoot() ? paths.reverse() : paths;
}

const exits: Readonly<Record<number, { readonly code: number }>> = {
  [errorCodes.notPermitted]: sysExit.EX_NOPERM,
  [errorCodes.notFound]: sysExit.EX_UNAVAILABLE,
  [errorCodes.noMethod]: sysExit.EX_UNAVAILABLE,
  [errorCodes.gone]: sysExit.EX_UNAVAILABLE,
  [errorCodes.unavailable]: sysExit.EX_TEMPFAIL,
  [errorCodes.busy]: sysExit.EX_TEMPFAIL,
  [errorCodes.invalidParams]: sysExit.EX_DATAERR,
  [errorCodes.configuration]: sysExit.EX_CONFIG,
};

function refusalOfFault({ code, message, lines }: ControlFault): Refusal {
  return refusal(exits[code] ?? sysExit.EX_SOFTWARE, [message, ...(lines ?? [])].join('\n  '));
}

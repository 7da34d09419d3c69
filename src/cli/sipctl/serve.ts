// sipctl serve: checks (-t), shows (-T), or runs the server until a signal ends it. A host's server is kept by this process, as
// root, and is another one; an own server is this process.

import { formatSetting } from '../../home/config.ts';
import { formatGateway } from '../../home/gateway.ts';
import type { KeywordName } from '../../home/keywords.ts';
import type { KeeperEnd } from '../../keeper/keeper.ts';
import {
  isSaid,
  readSettingsText,
  type ServerSettings,
  type SettingsSource,
  settingsOf,
} from '../../store/server-settings.ts';
import { takeInheritedSockets } from '../../unix/inherited-sockets.ts';
import { findAccountByUid } from '../../unix/nss.ts';
import { hardenProcess } from '../../unix/process-hardening.ts';
import { findServiceManager } from '../../unix/service-manager.ts';
import { type Context, isSet, listOption, textOption } from '../command.ts';
import { sysExit } from '../exit-codes.ts';

const LOOPBACK = ['udp:127.0.0.1:5060', 'tcp:127.0.0.1:5060'].map((socket) => `Listen ${socket}`);

/** Runs the server; resolves when it has stopped. */
export async function run(context: Context): Promise<number> {
  hardenProcess();
  const manager = findServiceManager();
  const inherited = takeInheritedSockets();
  const { report } = context;
  const isRoot = process.geteuid?.() === 0;
  const own = isSet(context, 'own') || !isRoot ? findAccountByUid(process.getuid?.() ?? 0) : undefined;
  if (own === undefined && (!isRoot || isSet(context, 'own'))) {
    report.error(`no account has uid ${process.getuid?.()}`);
    return sysExit.EX_NOUSER.code;
  }
  let source: SettingsSource = { file: textOption(context, 'f'), overrides: listOption(context, 'o'), own };
  let text = readSettingsText(source);
  let { settings, faults } = settingsOf(text, own);
  for (const fault of faults) report.fault(fault);
  if (faults.length > 0) return sysExit.EX_CONFIG.code;
  const isLoopbackOnly = own !== undefined && isRoot && !isSaid(settings, 'Listen');
  if (isLoopbackOnly) {
    // The global part comes first: -o may begin a block.
    source = { ...source, overrides: [...LOOPBACK, ...(source.overrides ?? [])] };
    text = readSettingsText(source);
    ({ settings, faults } = settingsOf(text, own));
  }
  if (isSet(context, 'T')) return showSettings(context, settings);
  if (isSet(context, 't')) return sysExit.EX_OK.code;
  // What the other one is made of is not loaded.
  if (own !== undefined) {
    const { serveOwn } = await import('./serve-own.ts');
    return serveOwn(context, own, { source, settings, inherited, manager, isLoopbackOnly });
  }
  const { keepServer } = await import('../../keeper/keeper.ts');
  const complain = (line: string) => report.error(line);
  const end = await keepServer({ source, text, settings, inherited, manager, complain });
  manager?.close();
  return EXIT_CODES[end];
}

const EXIT_CODES: Readonly<Record<KeeperEnd, number>> = {
  stopped: sysExit.EX_OK.code,
  configuration: sysExit.EX_CONFIG.code,
  system: sysExit.EX_OSERR.code,
  died: sysExit.EX_SOFTWARE.code,
};

/** Prints every keyword and gateway in effect, as a configuration file has them. */
function showSettings({ report }: Context, settings: ServerSettings): number {
  const keywords = { ...settings.keywords, Realm: settings.realm, AllowGroups: settings.access.allowGroups };
  if (report.json) report.value({ ...keywords, Gateway: settings.gateways });
  else {
    for (const [name, value] of Object.entries(keywords))
      for (const line of formatSetting(name as KeywordName, value)) report.print(line);
    for (const gateway of settings.gateways) for (const line of formatGateway(gateway)) report.print(line);
  }
  return sysExit.EX_OK.code;
}

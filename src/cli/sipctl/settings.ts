// The settings of the server that serves an account: the host's, or one's own where no other is (DESIGN §3).

import { effectiveSettings, type ParsedConfig, parseConfig } from '../../home/config.ts';
import type { Fault } from '../../home/fault.ts';
import { refusalOf } from '../../store/access.ts';
import { hostConfigPath, readServerSettings, type ServerSettings } from '../../store/server-settings.ts';
import { type Account, groupExists } from '../../unix/nss.ts';
import { createNssCache } from '../../unix/nss-cache.ts';
import type { Report } from '../report.ts';

/** A server's settings as the tools use them. */
export interface ToolSettings {
  readonly server: ServerSettings;
  readonly faults: readonly Fault[];
  /** The file they are from, whether it is there or not. */
  readonly path: string;
  /** Served by a server of his own, for which no group is needed. */
  readonly own: boolean;
  readonly strictModes: boolean;
  /** Why the rules refuse an account; undefined: they admit it. */
  refusalOf(account: Account): string | undefined;
  /** The names of an account's groups, the primary one first. */
  groupsOf(account: Account): readonly string[];
}

/** Reads the settings that hold for an account, or for the host, and reports what is wrong with them. */
export function readSettings(report: Report, account?: Account): ToolSettings {
  const settings = loadSettings(account);
  for (const fault of settings.faults) report.fault(fault);
  return settings;
}

/** Reads the settings that hold for an account, or for the host. Throws NssError. */
export function loadSettings(account?: Account): ToolSettings {
  const own = account !== undefined && servesHimself(account) ? account : undefined;
  const { settings, faults } = readServerSettings({ own });
  const nss = createNssCache();
  return {
    server: settings,
    faults,
    path: settings.path ?? (own === undefined ? hostConfigPath : `${own.home}/.sr/server`),
    own: own !== undefined,
    strictModes: settings.keywords.StrictModes,
    refusalOf: (one) =>
      own === undefined ? refusalOf(one, nss.groupNamesOf(one), settings.access) : undefined,
    groupsOf: (one) => nss.groupNamesOf(one),
  };
}

/** The settings that hold for a user whose ~/.sr/config has this content. */
export function userSettings({ server }: ToolSettings, content: string, path: string) {
  return effectiveSettings([userConfig(content, path), ...server.layers]);
}

/** Parses the content of a ~/.sr/config. */
export function userConfig(content: string, path: string): ParsedConfig {
  return parseConfig(content, { path, scope: 'user' });
}

/** Whoever runs the program is served by himself if he set that up, or if this host has no server of root's. */
function servesHimself(account: Account): boolean {
  if (account.uid !== process.geteuid?.()) return false;
  const own = readServerSettings({ own: account }).settings;
  if (own.path !== undefined) return true;
  const host = readServerSettings({}).settings;
  return host.path === undefined && host.access.allowGroups.every((name) => !groupExists(name));
}

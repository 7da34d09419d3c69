// What the tools need to know of /etc/sr/config: the realm, the algorithms, who is admitted (DESIGN §3).

import type { Algorithm } from '../digest/hash.ts';
import { effectiveSettings, parseConfig } from '../home/config.ts';
import type { Fault } from '../home/fault.ts';
import { readRootFile } from '../unix/root-file.ts';
import type { AccessRules } from './access.ts';

/** The server's configuration. */
export const hostConfigPath = '/etc/sr/config';

const maxBytes = 1024 * 1024;
/** Who is served by root's server if it does not say otherwise. */
const defaultGroups = ['sip'];

/** The server's settings as far as they matter to a tool. */
export interface HostSettings {
  /** The keyword Realm, octets; undefined if the file does not name one. */
  readonly realm: string | undefined;
  readonly digestAlgorithms: readonly Algorithm[];
  readonly access: AccessRules;
  readonly strictModes: boolean;
  /** Whether there is a file at all: this host has a server of root's. */
  readonly configured: boolean;
  /** What is wrong with the file, line by line; a file that can't be read has one fault of line 0. */
  readonly faults: readonly Fault[];
}

/** Reads the file; one that is missing or can not be read leaves the defaults. */
export function readHostSettings(): HostSettings {
  const file = readRootFile(hostConfigPath, { private: false, maxBytes });
  const unreadable = file !== undefined && 'type' in file;
  const content = file === undefined || unreadable ? '' : file.content;
  const parsed = parseConfig(content, { path: hostConfigPath, scope: 'server' });
  const settings = effectiveSettings([parsed]);
  const { MinUid, DenyUsers, AllowUsers, DenyGroups, AllowGroups } = settings;
  return {
    realm: settings.Realm,
    digestAlgorithms: settings.DigestAlgorithms ?? ['MD5'],
    access: {
      minUid: MinUid,
      denyUsers: DenyUsers,
      allowUsers: AllowUsers,
      denyGroups: DenyGroups,
      allowGroups: AllowGroups.length > 0 ? AllowGroups : defaultGroups,
    },
    strictModes: settings.StrictModes,
    configured: file !== undefined,
    faults: unreadable ? [{ path: hostConfigPath, line: 0, text: file.why }] : parsed.faults,
  };
}

// The realm of passwords and challenges where none is given: one function for tools and server (DESIGN §3).

import { hostname } from 'node:os';
import { effectiveSettings, parseConfig } from '../home/config.ts';
import { toOctets } from '../message/octets.ts';
import type { Account } from '../unix/nss.ts';
import { readHostSettings } from './host-settings.ts';
import { readUserFile } from './user-file.ts';

const maxBytes = 1024 * 1024;

/**
 * The keyword Realm of /etc/sr/config, else the host's name in lower case; no DNS is asked. For `own`, the account
 * that runs a server or tool for itself, Realm of ~/.sr/server comes first. Octets.
 */
export function defaultRealm(own?: Account): string {
  return (own && ownRealm(own)) ?? readHostSettings().realm ?? toOctets(hostname().toLowerCase());
}

function ownRealm(account: Account): string | undefined {
  const rules = { owners: 'user-or-root', private: false, maxBytes } as const;
  const content = readUserFile(account, { name: 'server', rules, strictModes: true });
  if (typeof content !== 'string') return undefined;
  return effectiveSettings([parseConfig(content, { path: '~/.sr/server', scope: 'server' })]).Realm;
}

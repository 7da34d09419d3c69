// What serve runs with (DESIGN §3): -o over the file over the defaults, from /etc/sr/config, -f FILE, or ~/.sr/server.

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Algorithm } from '../digest/hash.ts';
import { effectiveSettings, type ParsedConfig, parseConfig, type Settings } from '../home/config.ts';
import { parseDatabaseUrl, UNIX_URL } from '../home/database-url.ts';
import type { Fault } from '../home/fault.ts';
import { type Gateway, gatewaysOf } from '../home/gateway.ts';
import type { KeywordName } from '../home/keywords.ts';
import { lowerCase, toOctets } from '../message/octets.ts';
import type { Account } from '../unix/nss.ts';
import { readRootFile } from '../unix/root-file.ts';
import type { AccessRules } from './access.ts';
import { type DatabaseSettings, databaseOf } from './sql/database-settings.ts';
import { readUserFile } from './user-file.ts';
import type { VerifyRules } from './verify.ts';

/** The configuration of the host's server. */
export const hostConfigPath = '/etc/sr/config';

const MAX_BYTES = 1024 * 1024;
const DEFAULT_GROUPS = ['sip'];
/** What ~/.sr/passwd has for LoadCredentials: no password and no hash. */
const UNIX_ATTRIBUTES: ReadonlySet<string> = new Set(['uid', 'did', 'realm', 'auth_username', 'flags']);
/** Keywords that ask NSS or PAM. */
const UNIX_RULES: ReadonlySet<string> = new Set([
  ...['MinUid', 'AllowGroups', 'DenyGroups', 'CallingGroup', 'UsePAM'],
]);

/** The server's settings; times in seconds where the name does not say otherwise. */
export interface ServerSettings {
  /** Where they come from; undefined: no file, defaults. */
  readonly path: string | undefined;
  /** Of passwords and challenges, as octets: the keyword, else the host's name in lower case; no DNS is asked. */
  readonly realm: string;
  readonly access: AccessRules;
  readonly algorithms: readonly Algorithm[];
  readonly verify: VerifyRules;
  readonly strictModes: boolean;
  /** Where accounts are, with DbUrl of a database. */
  readonly database: DatabaseSettings | undefined;
  /** Every keyword in effect, under its name. */
  readonly keywords: Settings;
  /** In the order in which they are asked whether they take a call; of one name only one. */
  readonly gateways: readonly Gateway[];
  /** The layers of keywords behind a user's own, for `effectiveSettings`. */
  readonly layers: readonly ParsedConfig[];
}

/** Where settings come from. */
export interface SettingsSource {
  /** -f FILE: must be there. */
  readonly file?: string | undefined;
  /** -o Keyword=value. */
  readonly overrides?: readonly string[];
  /** The account that serves itself alone; undefined: the host's server. */
  readonly own?: Account | undefined;
}

/** What settings are made of, read: a plain value, which another process can make them of as well. */
export interface SettingsText {
  readonly path: string;
  /** Octets. */
  readonly content: string;
  readonly isThere: boolean;
  /** What kept it from being read. */
  readonly faults: readonly Fault[];
  readonly overrides: readonly string[];
}

/** Reads the settings and everything that is wrong with them; with a fault a server does not start. */
export function readServerSettings(source: SettingsSource): { settings: ServerSettings; faults: Fault[] } {
  return settingsOf(readSettingsText(source), source.own);
}

/** Reads what they are made of. */
export function readSettingsText(source: SettingsSource): SettingsText {
  return { ...readSource(source), overrides: source.overrides ?? [] };
}

/** Says whether the configuration has a keyword outside of blocks. */
export function isSaid({ layers }: ServerSettings, name: KeywordName): boolean {
  return layers.some((layer) => layer.global.some(({ keyword }) => keyword === name));
}

/** The settings of a server whose file would have this content, octets. */
export function serverSettingsOf(
  path: string,
  content: string,
): { settings: ServerSettings; faults: Fault[] } {
  return settingsOf({ path, content, isThere: true, faults: [], overrides: [] }, undefined);
}

/** Makes settings; `own` is the account that serves itself alone. */
export function settingsOf(
  file: SettingsText,
  own: Account | undefined,
): { settings: ServerSettings; faults: Fault[] } {
  const fromFile = parseConfig(file.content, { path: file.path, scope: 'server' });
  const overrides = parseOverrides(file.overrides);
  const layers = [overrides, fromFile];
  const keywords = effectiveSettings(layers);
  const blocks = layers.map(gatewaysOf);
  const faults = [...file.faults, ...overrides.faults, ...fromFile.faults];
  const url = parseDatabaseUrl(keywords.DbUrl);
  faults.push(...misplaced(layers, keywords), ...blocks.flatMap((read) => read.faults));
  if (fromFile.tornLine !== undefined)
    faults.push({ path: file.path, line: fromFile.tornLine, text: 'the last line does not end' });
  if (keywords.MinExpires > keywords.MaxExpires)
    faults.push({ path: file.path, line: 0, text: 'MinExpires is above MaxExpires' });
  const settings = {
    path: file.isThere ? file.path : undefined,
    realm: keywords.Realm ?? (own && hostRealm()) ?? hostname().toLowerCase(),
    access: accessRules(keywords, own),
    algorithms: keywords.DigestAlgorithms,
    verify: {
      calculateHa1: keywords.CalculateHa1,
      useDid: keywords.UseDid,
      loadCredentials: keywords.LoadCredentials,
    },
    strictModes: keywords.StrictModes,
    database: url === undefined ? undefined : databaseOf(url, keywords),
    keywords,
    gateways: firstOfEachName(blocks.flatMap(({ gateways }) => gateways)),
    layers,
  };
  return { settings, faults };
}

/** The host's own realm holds for a user's server too, so that one password fits both. */
function hostRealm(): string | undefined {
  const { path, content } = readSource({});
  return effectiveSettings([parseConfig(content, { path, scope: 'server' })]).Realm;
}

type SourceText = Omit<SettingsText, 'overrides'>;

function readSource({ file, own }: SettingsSource): SourceText {
  if (file !== undefined) return readNamed(file);
  const path = own === undefined ? hostConfigPath : `${own.home}/.sr/server`;
  const read =
    own === undefined
      ? readRootFile(path, { private: false, maxBytes: MAX_BYTES })
      : readUserFile(own, {
          name: 'server',
          rules: { owners: 'user-or-root', private: false, maxBytes: MAX_BYTES },
          strictModes: true,
        });
  if (read === undefined) return { path, content: '', isThere: false, faults: [] };
  if (typeof read === 'string') return { path, content: read, isThere: true, faults: [] };
  if ('content' in read) return { path, content: read.content, isThere: true, faults: [] };
  const text = read.mend === undefined ? read.why : `${read.why}: ${read.mend}`;
  return { path, content: '', isThere: true, faults: [{ path: read.path, line: 0, text }] };
}

function readNamed(path: string): SourceText {
  try {
    return { path, content: readFileSync(path, 'latin1'), isThere: true, faults: [] };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      path,
      content: '',
      isThere: false,
      faults: [{ path, line: 0, text: `cannot be read: ${code}` }],
    };
  }
}

/** `Keyword=value` and `Keyword value`, each a line of its own. */
function parseOverrides(overrides: readonly string[]): ParsedConfig {
  const lines = overrides.map(
    (text) =>
      `${toOctets(text)
        .replace(/^\s*(\w+)\s*=\s*/, '$1 ')
        .replace(/[\r\n]/g, ' ')}\n`,
  );
  return parseConfig(lines.join(''), { path: '-o', scope: 'server' });
}

/** Rules that a database of accounts could not obey, and attributes that ~/.sr/passwd does not have. */
function misplaced(layers: readonly ParsedConfig[], keywords: Settings): Fault[] {
  const isUnix = keywords.DbUrl === UNIX_URL;
  const { PasswordColumn, PasswordColumn2, PlainPasswordColumn } = keywords;
  const secrets = [PasswordColumn, PasswordColumn2, PlainPasswordColumn];
  const faults: Fault[] = [];
  for (const { path, global } of layers)
    for (const { keyword, value, line } of global) {
      const fault = (text: string) => faults.push({ path, line, text: `${keyword}: ${text}` });
      if (keyword === 'LoadCredentials') {
        const names = value as readonly string[];
        const unknown = names.find((name) => !UNIX_ATTRIBUTES.has(name));
        const secret = names.find((name) => secrets.includes(name));
        if (isUnix && unknown !== undefined)
          fault(`${unknown}: with DbUrl unix: expected ${[...UNIX_ATTRIBUTES].join(', ')}`);
        else if (!isUnix && secret !== undefined) fault(`${secret}: is the column of a password`);
      } else if (!isUnix && UNIX_RULES.has(keyword) && !(keyword === 'UsePAM' && value === false))
        fault('is about UNIX accounts, and DbUrl names a database');
    }
  return faults;
}

function firstOfEachName(gateways: readonly Gateway[]): readonly Gateway[] {
  const first = new Map<string, Gateway>();
  for (const each of gateways) {
    const name = lowerCase(each.name);
    if (!first.has(name)) first.set(name, each);
  }
  return [...first.values()];
}

function accessRules(keywords: Settings, own: Account | undefined): AccessRules {
  const { MinUid, DenyUsers, AllowUsers, DenyGroups, AllowGroups } = keywords;
  const byDefault = own === undefined ? DEFAULT_GROUPS : [];
  return {
    minUid: MinUid,
    denyUsers: DenyUsers,
    allowUsers: AllowUsers,
    denyGroups: DenyGroups,
    allowGroups: AllowGroups.length > 0 ? AllowGroups : byDefault,
  };
}

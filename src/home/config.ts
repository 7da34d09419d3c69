// /etc/sr/config and ~/.sr/config: the grammar of sshd_config(5) with Match and Gateway blocks (DESIGN §2), and the
// settings that hold for a request. Pure.

import { type ConfigLine, formatConfigLine, readConfigLine } from './config-line.ts';
import { type Criterion, evaluateMatch, type MatchContext, parseCriteria } from './config-match.ts';
import { addFault, type Fault, MAX_FAULTS } from './fault.ts';
import {
  findKeyword,
  type Keyword,
  type KeywordName,
  keywordEntry,
  keywords,
  nearestKeyword,
} from './keywords.ts';
import { shown, splitLines } from './lines.ts';

/** One line that counts. */
interface Setting {
  readonly keyword: KeywordName;
  readonly words: readonly string[];
  /** Of the keyword's type. */
  readonly value: unknown;
  readonly line: number;
}

/** Settings for requests that meet all criteria. */
interface MatchBlock {
  readonly type: 'match';
  readonly line: number;
  /** Undefined where they can't be read: the block never applies. */
  readonly criteria: readonly Criterion[] | undefined;
  readonly settings: readonly Setting[];
}

/** A gateway, whose lines are kept as they are. */
interface GatewayBlock {
  readonly type: 'gateway';
  readonly line: number;
  readonly name: string;
  readonly lines: readonly {
    readonly keyword: string;
    readonly words: readonly string[];
    readonly line: number;
  }[];
}

/** What a configuration file says. */
export interface ParsedConfig {
  readonly path: string;
  readonly scope: 'server' | 'user';
  /** The lines before the first block. */
  readonly global: readonly Setting[];
  readonly blocks: readonly (MatchBlock | GatewayBlock)[];
  readonly faults: readonly Fault[];
  /** The number of a last line without `\n`, which does not count; undefined where there is none. */
  readonly tornLine: number | undefined;
}

type ValueOf<K> = K extends Keyword<infer T, infer D> ? T | D : never;

/** The value of every keyword, under its name. */
export type Settings = { readonly [Name in KeywordName]: ValueOf<(typeof keywords)[Name]> };

/** What holds without any configuration. */
export const defaultSettings = Object.fromEntries(
  Object.entries(keywords).map(([name, entry]) => [name, entry.default]),
) as Settings;

interface Reading {
  readonly scope: 'server' | 'user';
  readonly fault: (line: number, text: string) => void;
  /** No further fault will be listed. */
  readonly isFull: () => boolean;
}

/** Parses a file. A line with a fault does not count, the rest does. */
export function parseConfig(
  content: string,
  options: { readonly path: string; readonly scope: 'server' | 'user' },
): ParsedConfig {
  const { path, scope } = options;
  const faults: Fault[] = [];
  const global: Setting[] = [];
  const blocks: (MatchBlock | GatewayBlock)[] = [];
  const reading: Reading = {
    scope,
    fault: (line, text) => addFault(faults, { path, line, text }),
    isFull: () => faults.length > MAX_FAULTS,
  };
  let settings: Setting[] | undefined = global;
  let gatewayLines: GatewayBlock['lines'][number][] = [];
  const { lines, torn } = splitLines(content);
  lines.forEach((text, index) => {
    const line = index + 1;
    const read = readConfigLine(text);
    if (read === undefined) return;
    const keyword = read.keyword.toLowerCase();
    if (keyword === 'match') {
      settings = [];
      blocks.push({ type: 'match', line, criteria: readCriteria(reading, read, line), settings });
    } else if (keyword === 'gateway') {
      settings = undefined;
      gatewayLines = [];
      const name = readGatewayName(reading, read, line);
      if (name !== undefined) blocks.push({ type: 'gateway', line, name, lines: gatewayLines });
    } else if (settings === undefined) {
      if (read.fault === undefined) gatewayLines.push({ keyword: read.keyword, words: read.words, line });
      else reading.fault(line, `${shown(read.keyword)}: ${read.fault}`);
    } else {
      const setting = readSetting(reading, read, line);
      if (setting !== undefined) settings.push(setting);
    }
  });
  return { path, scope, global, blocks, faults, tornLine: torn === undefined ? undefined : lines.length + 1 };
}

/**
 * The settings that hold: of layers in their order (the user's first, then `-o`, then the server's), the first that has
 * a keyword; within it matching blocks before the global part, the first line or all lines of a list. Without a context
 * only `Match all` matches.
 */
export function effectiveSettings(layers: readonly ParsedConfig[], context?: MatchContext): Settings {
  const settings: Record<string, unknown> = { ...defaultSettings };
  const decided = new Map<KeywordName, readonly Setting[]>();
  const caps = new Map<KeywordName, number>();
  const here = context && { ...context, timeZone: context.timeZone ?? timeZoneOf(layers) };
  for (const layer of layers) {
    const matched = matchedSettings(layer, here);
    for (const part of matched.length > 0 ? [matched, layer.global] : [layer.global]) {
      for (const setting of part) {
        const entry = keywordEntry(setting.keyword);
        if (entry.capped && layer.scope === 'server' && !caps.has(setting.keyword))
          caps.set(setting.keyword, setting.value as number);
        const by = decided.get(setting.keyword);
        if (by === undefined) {
          decided.set(setting.keyword, part);
          settings[setting.keyword] = setting.value;
        } else if (entry.list && (by === part || entry.keyed)) {
          const list = settings[setting.keyword] as readonly unknown[];
          settings[setting.keyword] = [...list, ...(setting.value as readonly unknown[])];
        }
      }
    }
  }
  for (const keyword of decided.keys()) {
    const entry = keywordEntry(keyword);
    if (entry.keyed) settings[keyword] = firstOfEachName(settings[keyword] as readonly { name: string }[]);
    if (entry.capped)
      settings[keyword] = Math.min(
        settings[keyword] as number,
        caps.get(keyword) ?? (entry.default as number),
      );
  }
  return settings as Settings;
}

/** A line of Block or Allow. */
export interface ScreeningRule {
  readonly isAllowed: boolean;
  readonly patterns: readonly string[];
}

/** The lines of Block and Allow in force, in the order in which the first that fits decides: as `effectiveSettings` looks. */
export function screeningRules(layers: readonly ParsedConfig[], context?: MatchContext): ScreeningRule[] {
  const here = context && { ...context, timeZone: context.timeZone ?? timeZoneOf(layers) };
  return layers
    .flatMap((layer) => [...matchedSettings(layer, here), ...layer.global])
    .filter(({ keyword }) => keyword === 'Block' || keyword === 'Allow')
    .map(({ keyword, value }) => ({ isAllowed: keyword === 'Allow', patterns: value as readonly string[] }));
}

/** The lines that say a value of a keyword, as a configuration file has them; none for what is undefined or empty. */
export function formatSetting(keyword: KeywordName, value: unknown): string[] {
  if (value === undefined) return [];
  return keywordEntry(keyword)
    .value.format(value)
    .map((words) => formatConfigLine(keyword, words));
}

/** Reads words as a value of a keyword in a file of this scope, or says what is wrong: `expected …`. */
export function checkValue(
  keyword: KeywordName,
  words: readonly string[],
  scope: 'server' | 'user',
): { readonly value: unknown } | { readonly fault: string } {
  const entry = keywordEntry(keyword);
  if (scope === 'user' && entry.scope === 'server')
    return { fault: 'expected in the configuration of the server only' };
  const value = entry.value.parse(words);
  return value === undefined ? { fault: `expected ${entry.value.expected}` } : { value };
}

function readSetting(reading: Reading, read: ConfigLine, line: number): Setting | undefined {
  const keyword = findKeyword(read.keyword);
  if (keyword === undefined) {
    if (reading.isFull()) return undefined;
    const nearest = nearestKeyword(read.keyword, reading.scope);
    const hint = nearest === undefined ? '' : ` (did you mean ${nearest}?)`;
    reading.fault(line, `${shown(read.keyword)}: unknown keyword${hint}`);
    return undefined;
  }
  const checked =
    read.fault === undefined ? checkValue(keyword, read.words, reading.scope) : { fault: read.fault };
  if ('value' in checked) return { keyword, words: read.words, value: checked.value, line };
  reading.fault(line, `${keyword}: ${checked.fault}`);
  return undefined;
}

function readCriteria(reading: Reading, read: ConfigLine, line: number): readonly Criterion[] | undefined {
  const criteria = read.fault ?? parseCriteria(read.words);
  if (typeof criteria !== 'string') return criteria;
  reading.fault(line, `Match: ${criteria}`);
  return undefined;
}

function readGatewayName(reading: Reading, read: ConfigLine, line: number): string | undefined {
  const [name = ''] = read.words;
  let fault = read.fault;
  if (reading.scope === 'user') fault = 'expected in the configuration of the server only';
  else if (read.words.length !== 1 || name === '') fault ??= 'expected one name';
  if (fault === undefined) return name;
  reading.fault(line, `Gateway: ${fault}`);
  return undefined;
}

function matchedSettings(layer: ParsedConfig, context: MatchContext | undefined): readonly Setting[] {
  const matched: Setting[] = [];
  for (const block of layer.blocks)
    if (block.type === 'match' && block.criteria !== undefined && evaluateMatch(block.criteria, context))
      matched.push(...block.settings);
  return matched;
}

/** The zone of the times in Match blocks, which themselves can't change it. */
function timeZoneOf(layers: readonly ParsedConfig[]): string | undefined {
  for (const { global } of layers)
    for (const { keyword, value } of global) if (keyword === 'TimeZone') return value as string;
  return undefined;
}

function firstOfEachName<T extends { readonly name: string }>(list: readonly T[]): readonly T[] {
  const first = new Map<string, T>();
  for (const each of list) if (!first.has(each.name)) first.set(each.name, each);
  return [...first.values()];
}

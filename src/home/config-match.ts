// The criteria of a Match block: from, to, method, time, group, address, all (DESIGN §2, §3). Pure over the context.

import { type AddressRange, isInRange, parseAddressRange } from './address-range.ts';
import { matchesGlob, matchesUriGlob } from './glob.ts';
import { shown } from './lines.ts';

/** A pattern of a comma-separated list; `!` before it excludes what it matches. */
interface Pattern {
  readonly glob: string;
  readonly isNegated: boolean;
}

/** From minute `from` of the day up to `to`, which is not part of it; over midnight when `to` is the smaller. */
interface TimeSpan {
  readonly from: number;
  readonly to: number;
}

/** One criterion. All of a block must be met. */
export type Criterion =
  | { readonly type: 'all' }
  | { readonly type: 'from' | 'to' | 'method' | 'group'; readonly patterns: readonly Pattern[] }
  | { readonly type: 'address'; readonly ranges: readonly AddressRange[] }
  | {
      readonly type: 'time';
      /** Sunday is 0; none: every day. */
      readonly days: ReadonlySet<number>;
      /** None: all day. */
      readonly spans: readonly TimeSpan[];
    };

/** What a request is. A criterion about what is undefined is not met. */
export interface MatchContext {
  /** The authenticated or asserted URI of the caller. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly method?: string | undefined;
  /** The caller's UNIX groups; undefined for foreigners. */
  readonly groups?: readonly string[] | undefined;
  /** The source of the packet. */
  readonly address?: string | undefined;
  /** Milliseconds since 1970. */
  readonly now?: number | undefined;
  /** Undefined: the host's. */
  readonly timeZone?: string | undefined;
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const DAY_MINUTES = 1440;

/** Parses the arguments of Match, or says what is wrong with them. */
export function parseCriteria(words: readonly string[]): readonly Criterion[] | string {
  if (words.length === 1 && words[0]?.toLowerCase() === 'all') return [{ type: 'all' }];
  if (words.length === 0)
    return 'expected all, or criteria from, to, method, time, group, address with values';
  const criteria: Criterion[] = [];
  for (let at = 0; at < words.length; at += 2) {
    const criterion = parseCriterion((words[at] as string).toLowerCase(), words[at + 1]);
    if (typeof criterion === 'string') return criterion;
    criteria.push(criterion);
  }
  return criteria;
}

/** Says whether a request meets all criteria; without a context only `all` does. */
export function evaluateMatch(criteria: readonly Criterion[], context: MatchContext = {}): boolean {
  return criteria.every((criterion) => isMet(criterion, context));
}

function parseCriterion(name: string, value: string | undefined): Criterion | string {
  switch (name) {
    case 'all':
      return 'expected all to stand alone';
    case 'from':
    case 'to':
    case 'method':
    case 'group': {
      const patterns = parsePatterns(name === 'method' ? value?.toUpperCase() : value);
      return patterns === undefined ? `expected ${name} PATTERN[,PATTERN...]` : { type: name, patterns };
    }
    case 'address': {
      const ranges = value?.split(',').map(parseAddressRange);
      return ranges === undefined || ranges.includes(undefined)
        ? 'expected address 192.0.2.0/24[,...]'
        : { type: 'address', ranges: ranges as AddressRange[] };
    }
    case 'time':
      return parseTime(value ?? '') ?? 'expected time as Mon-Fri,09:00-17:00';
    default:
      return `unknown criterion ${shown(name)}: expected from, to, method, time, group, address or all`;
  }
}

function parsePatterns(value: string | undefined): Pattern[] | undefined {
  const patterns = value?.split(',').map((text) => {
    const isNegated = text.startsWith('!');
    return { glob: isNegated ? text.slice(1) : text, isNegated };
  });
  return patterns?.some(({ glob }) => glob === '') ? undefined : patterns;
}

function parseTime(value: string): Criterion | undefined {
  const days = new Set<number>();
  const spans: TimeSpan[] = [];
  for (const part of value.toLowerCase().split(',')) {
    const [first = '', last = first, ...rest] = part.split('-');
    if (rest.length > 0) return undefined;
    const from = DAYS.indexOf(first);
    const to = DAYS.indexOf(last);
    if (from >= 0 && to >= 0) {
      for (let day = from; day !== to; day = (day + 1) % 7) days.add(day);
      days.add(to);
    } else {
      const span = { from: minuteOf(first), to: minuteOf(last) };
      if (!part.includes('-') || span.from < 0 || span.to < 0 || span.from === span.to) return undefined;
      spans.push(span);
    }
  }
  return { type: 'time', days, spans };
}

/** The minute of `09:00`, or -1; 24:00 is the end of a day. */
function minuteOf(text: string): number {
  const match = /^(\d\d?):(\d\d)$/.exec(text);
  if (match === null) return -1;
  const minute = Number(match[1]) * 60 + Number(match[2]);
  return Number(match[2]) > 59 || minute > DAY_MINUTES ? -1 : minute;
}

function isMet(criterion: Criterion, context: MatchContext): boolean {
  switch (criterion.type) {
    case 'all':
      return true;
    case 'from':
    case 'to': {
      const uri = context[criterion.type];
      return uri !== undefined && matchesPatterns(criterion.patterns, (glob) => matchesUriGlob(glob, uri));
    }
    case 'method': {
      const { method } = context;
      return method !== undefined && matchesPatterns(criterion.patterns, (glob) => matchesGlob(glob, method));
    }
    case 'group': {
      const { groups } = context;
      return (
        groups !== undefined &&
        matchesPatterns(criterion.patterns, (glob) => groups.some((group) => matchesGlob(glob, group)))
      );
    }
    case 'address': {
      const { address } = context;
      return address !== undefined && criterion.ranges.some((range) => isInRange(address, range));
    }
    case 'time': {
      if (context.now === undefined) return false;
      const { day, minute } = localTime(context.now, context.timeZone);
      return (
        (criterion.days.size === 0 || criterion.days.has(day)) &&
        (criterion.spans.length === 0 || criterion.spans.some((span) => isInSpan(minute, span)))
      );
    }
  }
}

/** At least one pattern matches, and no negated one. */
function matchesPatterns(patterns: readonly Pattern[], matches: (glob: string) => boolean): boolean {
  let isMatched = false;
  for (const { glob, isNegated } of patterns) {
    if (!matches(glob)) continue;
    if (isNegated) return false;
    isMatched = true;
  }
  return isMatched;
}

function isInSpan(minute: number, { from, to }: TimeSpan): boolean {
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** Zones are checked where they are parsed, so that there are as many as the tz database has. */
const clocks = new Map<string | undefined, Intl.DateTimeFormat>();

function localTime(now: number, timeZone: string | undefined): { day: number; minute: number } {
  let clock = clocks.get(timeZone);
  if (clock === undefined) {
    const parts = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    clock = new Intl.DateTimeFormat('en-US', timeZone === undefined ? parts : { ...parts, timeZone });
    clocks.set(timeZone, clock);
  }
  const parts = new Map(clock.formatToParts(now).map(({ type, value }) => [type, value]));
  const day = DAYS.indexOf((parts.get('weekday') as string).toLowerCase());
  return { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
}

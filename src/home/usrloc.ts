// ~/.sr/usrloc: a log of contacts, one a line in the grammar of a Contact header field (RFC 3261 §20.10) with the
// server's own parameters as `sr-…="…"` (DESIGN §2). Pure: what is live depends on the caller's `now`.

import { addFault, type Fault } from './fault.ts';
import { formatInstant } from './instant.ts';
import { isDataLine, splitLines } from './lines.ts';
import { type Binding, bindingKey, type ContactLine, type Removal, readContactLine } from './usrloc-line.ts';
import {
  bracketedUri,
  isClientParameter,
  isCSeq,
  isRtt,
  isServerName,
  parameterText,
  quotedString,
  SERVER_NAMES,
} from './usrloc-text.ts';

export { type Binding, bindingKey, type Removal } from './usrloc-line.ts';

/** How many contacts of one account are read. */
export const MAX_BINDINGS = 1000;
/** How many removals are remembered, the latest: they only tell late duplicates apart. */
const MAX_REMOVALS = 64;
/** How long a removal keeps its Call-ID and CSeq where TimerT1 is 500 ms: 64·T1. */
const REMOVAL_MEMORY_MS = 32_000;

/** What a usrloc file means. */
export interface UsrlocFold {
  readonly path: string;
  /** One of each key, in the order of their lines; expired ones included. */
  readonly bindings: readonly Binding[];
  /** The latest of each key that has no binding. */
  readonly removals: readonly Removal[];
  /** All whole lines. */
  readonly lineCount: number;
  /** Contact lines that are no binding's: overwritten ones and removals. */
  readonly staleCount: number;
  /** A last line without `\n`, which does not count; whoever appends completes it first. */
  readonly torn: string | undefined;
  readonly faults: readonly Fault[];
  /** The numbers of all lines that say nothing that can be used. */
  readonly unread: readonly number[];
}

/** Parses a file: the last line of a contact wins, `expires=0` takes it away. */
export function parseUsrloc(content: string, path: string): UsrlocFold {
  const { lines, torn } = splitLines(content);
  const empty: UsrlocFold = {
    path,
    bindings: [],
    removals: [],
    lineCount: 0,
    staleCount: 0,
    torn: undefined,
    faults: [],
    unread: [],
  };
  return { ...foldLines(empty, lines), torn };
}

/**
 * What a file means after whole lines (without `\n`) were appended to it. The previous fold stays as it is. `meanings`
 * are the bindings that lines were formatted from, in their places: such a line need not be parsed. They become the
 * fold's own, with the number of their line.
 */
export function foldLines(
  previous: UsrlocFold,
  appended: readonly string[],
  meanings: readonly (Binding | undefined)[] = [],
): UsrlocFold {
  if (appended.length === 0) return previous;
  const [only] = meanings;
  if (only !== undefined && appended.length === 1 && previous.torn === undefined)
    return refreshed(previous, only);
  const lines = previous.torn === undefined ? appended : [previous.torn, ...appended];
  const first = previous.lineCount + lines.length - appended.length + 1;
  const bindings = new Map<string, Binding>();
  for (const binding of previous.bindings) bindings.set(bindingKey(binding), binding);
  const removals = new Map<string, Removal>();
  for (const removal of previous.removals) removals.set(removal.key, removal);
  const faults = previous.faults.slice();
  const unread = previous.unread.slice();
  let contactCount = previous.staleCount + bindings.size;
  let line = previous.lineCount;
  for (const text of lines) {
    line++;
    const meaning = meanings[line - first];
    if (meaning === undefined && !isDataLine(text)) continue;
    const read = meaning === undefined ? readContactLine(text, line) : { binding: { ...meaning, line } };
    if (typeof read === 'string') {
      unread.push(line);
      addFault(faults, { path: previous.path, line, text: read });
      continue;
    }
    const { binding, removal }: ContactLine = read;
    const key = bindingKey(binding);
    if (bindings.size >= MAX_BINDINGS && removal === undefined && !bindings.has(key)) {
      unread.push(line);
      addFault(faults, { path: previous.path, line, text: `expected at most ${MAX_BINDINGS} contacts` });
      continue;
    }
    contactCount++;
    bindings.delete(key);
    removals.delete(key);
    if (removal === undefined) bindings.set(key, binding);
    else removals.set(key, removal);
    if (removals.size > MAX_REMOVALS) removals.delete(removals.keys().next().value as string);
  }
  return {
    path: previous.path,
    bindings: [...bindings.values()],
    removals: [...removals.values()],
    lineCount: line,
    staleCount: contactCount - bindings.size,
    torn: undefined,
    faults,
    unread,
  };
}

/** The fold after the line of one binding, as nearly every REGISTER adds it: no map is made, no line is parsed. */
function refreshed(previous: UsrlocFold, meaning: Binding): UsrlocFold {
  const line = previous.lineCount + 1;
  const key = bindingKey(meaning);
  const bindings = previous.bindings.filter((binding) => bindingKey(binding) !== key);
  const staleCount = previous.staleCount + previous.bindings.length - bindings.length;
  // In place: a copy of an object with so many fields would cost more than all else here.
  (meaning as { line: number }).line = line;
  bindings.push(meaning);
  const removals = previous.removals.filter((removal) => removal.key !== key);
  const { path, torn, faults, unread } = previous;
  return { path, bindings, removals, lineCount: line, staleCount, torn, faults, unread };
}

/**
 * Rewrites a file without the lines that no longer count: overwritten and expired contacts, removals older than
 * `removalMemoryMs`. Comments, blank lines, unreadable lines and a torn last one stay byte for byte, in their order.
 */
export function compactUsrloc(
  content: string,
  now: number,
  removalMemoryMs: number = REMOVAL_MEMORY_MS,
): string {
  const fold = parseUsrloc(content, '');
  const kept = new Set<number>();
  for (const line of fold.unread) kept.add(line);
  for (const { line, expiresAt } of fold.bindings)
    if (expiresAt === undefined || expiresAt > now) kept.add(line);
  for (const { line, at } of fold.removals) if (now - at < removalMemoryMs) kept.add(line);
  const { lines, torn } = splitLines(content);
  let result = '';
  for (let index = 0; index < lines.length; index++) {
    const text = lines[index] as string;
    if (kept.has(index + 1) || !isDataLine(text)) result += `${text}\n`;
  }
  return result + (torn ?? '');
}

/** Formats a binding as one line, without `\n`: printable whatever its fields hold. */
export function formatBinding(binding: Binding): string {
  let line = binding.displayName === undefined ? '' : `${quotedString(binding.displayName)} `;
  line += bracketedUri(binding.uri);
  for (const parameter of binding.parameters)
    if (isClientParameter(parameter)) line += parameterText(parameter);
  if (binding.expiresAt !== undefined) line += `;sr-expires-at="${formatInstant(binding.expiresAt)}"`;
  line += natText(binding);
  if (binding.path !== undefined && binding.path.length > 0)
    line += `;sr-path=${quotedString(binding.path.join(', '))}`;
  line += requestText(binding.callId, binding.cseq);
  if (binding.userAgent !== undefined) line += `;sr-user-agent=${quotedString(binding.userAgent)}`;
  if (binding.socket !== undefined) line += `;sr-socket=${quotedString(binding.socket)}`;
  if (binding.source !== undefined) line += `;sr-source=${quotedString(binding.source)}`;
  if (binding.rttMs !== undefined && isRtt(binding.rttMs)) line += `;sr-rtt="${binding.rttMs}"`;
  if (binding.unreachableSince !== undefined)
    line += `;sr-unreachable-since="${formatInstant(binding.unreachableSince)}"`;
  if (binding.modified !== undefined) line += `;sr-modified="${formatInstant(binding.modified)}"`;
  if (binding.mac !== undefined) line += `;sr-mac=${quotedString(binding.mac)}`;
  for (const parameter of binding.extra)
    if (isServerName(parameter.name) && !SERVER_NAMES.has(parameter.name.toLowerCase()))
      line += parameterText(parameter);
  return line;
}

/** Formats the line that takes a binding away, without `\n`, by the REGISTER of this Call-ID, CSeq and time. */
export function formatRemoval(
  binding: Binding,
  by: { readonly callId?: string | undefined; readonly cseq?: number | undefined; readonly at: number },
): string {
  let line = bracketedUri(binding.uri);
  for (const parameter of binding.parameters) {
    const name = parameter.name.toLowerCase();
    if (name === '+sip.instance' || name === 'reg-id') line += parameterText(parameter);
  }
  line += `;expires=0${natText(binding)}`;
  // Behind NAT the Call-ID is part of the key, and the REGISTER that removes may have another.
  const inKey = binding.instance === undefined && binding.received !== undefined;
  line += requestText(inKey ? binding.callId : by.callId, by.cseq);
  if (inKey && by.callId !== binding.callId && by.callId !== undefined)
    line += `;sr-removed-by=${quotedString(by.callId)}`;
  return `${line};sr-modified="${formatInstant(by.at)}"`;
}

function natText({ received }: Binding): string {
  return received === undefined ? '' : `;sr-received=${quotedString(received)}`;
}

function requestText(callId: string | undefined, cseq: number | undefined): string {
  const line = callId === undefined ? '' : `;sr-call-id=${quotedString(callId)}`;
  return cseq !== undefined && isCSeq(cseq) ? `${line};sr-cseq="${cseq}"` : line;
}

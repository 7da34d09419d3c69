// SIP messages as a ladder: one column a party, an arrow for each message, as RFC 3665 draws call flows. Pure.

import type { TraceRecord } from '../../control/trace-record.ts';

/** The lines of a message: the names of the columns first where these have changed. */
export type Ladder = (record: TraceRecord) => readonly string[];

const CLOCK_WIDTH = '00:00:00.000'.length;
/** An address and port, and a blank; longer ones are cut. */
const LEAST_COLUMN = 22;

/** Makes a ladder for a terminal that is `columns` wide. Of more parties than there is room for, the last heard of stay. */
export function createLadder(columns: number): Ladder {
  const most = Math.max(2, Math.floor((columns - CLOCK_WIDTH) / LEAST_COLUMN));
  const width = Math.max(4, Math.min(2 * LEAST_COLUMN, Math.floor((columns - CLOCK_WIDTH) / most)));
  /** A place each; undefined: free. */
  const parties: string[] = [];
  const lastHeard = new Map<string, number>();
  let messages = 0;

  /** Gives a party a place; true: the places have changed. */
  function place(party: string, other: string): boolean {
    lastHeard.set(party, messages);
    if (parties.includes(party)) return false;
    if (parties.length < most) parties.push(party);
    else {
      const others = parties.filter((each) => each !== other);
      const oldest = others.reduce((one, two) => (heard(two) < heard(one) ? two : one));
      parties[parties.indexOf(oldest)] = party;
      lastHeard.delete(oldest);
    }
    return true;
  }

  function heard(party: string): number {
    return lastHeard.get(party) ?? 0;
  }

  return (record) => {
    const { source, destination } = record;
    messages++;
    const isNew = place(source, destination);
    const isOther = place(destination, source);
    const arrow = `${clockOf(record.time)}${rungOf(record, parties, width)}`;
    return isNew || isOther ? ['', headOf(parties, width), arrow] : [arrow];
  };
}

function headOf(parties: readonly string[], width: number): string {
  const names = parties.map((party) => middled(party, width - 1).padEnd(width));
  return `${' '.repeat(CLOCK_WIDTH)}${names.join('')}`.trimEnd();
}

/** The lines of all parties, and the arrow between two of them. */
function rungOf(
  { source, destination, line }: TraceRecord,
  parties: readonly string[],
  width: number,
): string {
  const [from, to] = [parties.indexOf(source), parties.indexOf(destination)];
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  const gap = ' '.repeat(width - 1);
  const before = `${' '.repeat(centreOf(width))}${`│${gap}`.repeat(left)}`;
  const behind = `${gap}│`.repeat(parties.length - 1 - right);
  const span = (right - left) * width - 1;
  if (left === right) return `${before}↻${labelOf(line, centreOf(width))}`;
  const label = labelOf(line, Math.max(0, span - 4));
  const dashes = span - 1 - label.length;
  const front = '─'.repeat(Math.max(1, Math.floor(dashes / 2)));
  const rest = '─'.repeat(Math.max(1, dashes - front.length));
  const shaft = `${front}${label}${rest}`;
  const arrow = from < to ? `├${shaft}▶│` : `│◀${shaft}┤`;
  return `${before}${arrow}${behind}`;
}

function centreOf(width: number): number {
  return Math.floor((width - 1) / 2);
}

/** `INVITE`, `180 Ringing`. */
function labelOf(line: string, most: number): string {
  const label = line.startsWith('SIP/2.0 ') ? line.slice('SIP/2.0 '.length) : (line.split(' ', 1)[0] ?? '');
  const cut = label.length > most ? label.slice(0, most) : label;
  return cut === '' ? '' : ` ${cut.replace(/[^\x20-\x7e]/g, '?').slice(0, Math.max(0, most - 2))} `;
}

function middled(text: string, width: number): string {
  const cut = text.slice(0, width);
  return `${' '.repeat(Math.floor((width - cut.length) / 2))}${cut}`;
}

/** The time of day of the host, to the millisecond. */
export function clockOf(time: number): string {
  const at = new Date(time);
  const parts = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${parts.join(':')}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

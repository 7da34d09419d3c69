// Sessions as `sipctl last` shows them: values for --json, rows for people. Pure but for the zone of the host.

import { formatInstant } from '../../home/instant.ts';
import type { Session } from '../../home/session-journal.ts';
import { fromOctets } from '../../message/octets.ts';
import type { Cell } from '../table.ts';

/** A session as `--json` has it; what is not known is null. */
export interface SessionView {
  readonly user: string;
  /** As in wtmp. */
  readonly line: string;
  readonly contact: string | null;
  readonly source: string;
  readonly device: string | null;
  readonly login: string;
  /** Null: still logged in. */
  readonly logout: string | null;
  /** In seconds; until now while it is open. */
  readonly duration: number;
  readonly ended: Exclude<Session['end'], undefined>['why'] | null;
}

const WORDS = {
  unregistered: 'unregistered',
  expired: 'expired',
  removed: 'removed',
  stopped: 'server stopped',
  refused: 'no longer admitted',
} as const;

/** Makes the view of a session. */
export function viewOf(session: Session, now: number): SessionView {
  const { user, line, contact, source, device, at, end } = session;
  return {
    user: fromOctets(user),
    line,
    contact: contact === '' ? null : fromOctets(contact),
    source,
    device: device === undefined ? null : fromOctets(device),
    login: formatInstant(at),
    logout: end === undefined ? null : formatInstant(end.at),
    duration: durationMs(session, now) / 1000,
    ended: end?.why ?? null,
  };
}

/** A table of sessions; columns that would be empty are left out. */
export function sessionTable(sessions: readonly Session[], now: number): { head: string[]; rows: Cell[][] } {
  const columns = [
    { head: 'User', cell: ({ user }) => fromOctets(user) },
    { head: 'Device', cell: ({ device }) => fromOctets(device ?? '') },
    { head: 'Source', cell: ({ source }) => source },
    { head: 'Login', cell: ({ at }) => formatTime(at) },
    { head: 'Logout', cell: shownEnd },
    { head: 'Duration', cell: (session) => formatDuration(durationMs(session, now)) },
    { head: 'Ended', cell: ({ end }) => (end?.why === undefined ? '' : WORDS[end.why]) },
  ] satisfies { head: string; cell: (session: Session) => Cell }[];
  const filled = columns.filter(({ cell }) => sessions.some((session) => cell(session) !== ''));
  return {
    head: filled.map(({ head }) => head),
    rows: sessions.map((session) => filled.map(({ cell }) => cell(session))),
  };
}

function durationMs({ at, end }: Session, now: number): number {
  return Math.max(0, (end?.at ?? now) - at);
}

/** On the day of the login the time is enough. */
function shownEnd({ at, end }: Session): string {
  if (end === undefined) return 'still logged in';
  const [from, until] = [formatTime(at), formatTime(end.at)];
  return from.slice(0, 10) === until.slice(0, 10) ? until.slice(11) : until;
}

/** `2026-11-22 10:15` in the zone of the host. */
function formatTime(ms: number): string {
  const time = new Date(ms);
  const [month, day, hour, minute] = [
    time.getMonth() + 1,
    time.getDate(),
    time.getHours(),
    time.getMinutes(),
  ].map(twoDigits);
  return `${time.getFullYear()}-${month}-${day} ${hour}:${minute}`;
}

/** Hours, minutes and seconds, with days in front as last(1) has them: `1+02:03:04`. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const days = Math.floor(seconds / 86_400);
  const [hours, minutes, rest] = [
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ].map(twoDigits);
  return `${days > 0 ? `${days}+` : ''}${hours}:${minutes}:${rest}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}

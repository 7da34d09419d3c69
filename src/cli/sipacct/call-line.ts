// A call as one line for people. Pure, in the zone of the process.

import { formatDuration } from '../../accounting/call-sums.ts';
import { cutToWidth, displayWidth } from '../../accounting/display-width.ts';
import { formatLocal } from '../../accounting/local-time.ts';
import { shownText, shownUri } from '../../accounting/report-table.ts';
import type { CallRecord, CallStatus } from '../../home/acct.ts';
import type { Piece, Style } from '../report.ts';

/** What a line is of: an account's call has another side, one of the host has two. */
export interface CallLineForm {
  readonly isHosts: boolean;
  /** The width of the terminal; undefined: nothing is cut. */
  readonly columns: number | undefined;
}

const styles: Readonly<Record<CallStatus, Style>> = {
  answered: 'green',
  missed: 'red',
  busy: 'yellow',
  cancelled: 'yellow',
  failed: 'red',
};

const ARROW = ' -> ';

/** What stands over the lines. */
export function callHead({ isHosts }: CallLineForm): readonly Piece[] {
  const parties = isHosts ? 'FROM -> TO' : 'PEER';
  const text = `START                ${directionCell('DIR', isHosts)}  STATUS     DURATION  ${parties}`;
  return [{ text, style: 'dim' }];
}

/** A call in fixed columns, the parties and what else is worth knowing last, as far as there is room. */
export function callLine(call: CallRecord, { isHosts, columns }: CallLineForm): readonly Piece[] {
  const start = `${formatLocal(call.start)}  ${directionCell(call.direction, isHosts)}  `;
  const status = call.status.padEnd(9);
  const duration = `  ${formatDuration(call.durationMs).padStart(8)}  `;
  const room =
    columns === undefined
      ? Number.POSITIVE_INFINITY
      : columns - start.length - status.length - duration.length;
  const parties = isHosts
    ? bothParties(call, room)
    : cut(shownUri(call.direction === 'in' ? call.from : call.to), room);
  const remark = cut(remarkOf(call), room - displayWidth(parties));
  return [
    start,
    { text: status, style: styles[call.status] },
    `${duration}${parties}`,
    { text: remark, style: 'dim' },
  ];
}

/** Both sides; where there is no room for both in full, each has half of it, or what the other leaves. */
function bothParties(call: CallRecord, room: number): string {
  const [from, to] = [shownUri(call.from), shownUri(call.to)];
  const left = room - ARROW.length;
  const half = Math.floor(left / 2);
  const shownFrom = cut(from, Math.max(half, left - displayWidth(to)));
  return `${shownFrom}${ARROW}${cut(to, left - displayWidth(shownFrom))}`;
}

/** What is worth knowing besides: why a call failed, that no BYE ended it, who sent it on. */
function remarkOf({ status, code, reason, endedBy, forwardedBy }: CallRecord): string {
  const remarks = [
    status === 'failed' ? [code, shownText(reason ?? '')].join(' ').trim() : '',
    endedBy === undefined || endedBy === 'caller' || endedBy === 'callee' ? '' : `ended by ${endedBy}`,
    forwardedBy === undefined ? '' : `forwarded by ${shownText(forwardedBy)}`,
  ].filter((remark) => remark !== '');
  return remarks.length === 0 ? '' : `  ${remarks.join(', ')}`;
}

function directionCell(text: string, isHosts: boolean): string {
  return text.padEnd(isHosts ? 'internal'.length : 'out'.length);
}

function cut(text: string, columns: number): string {
  return columns === Number.POSITIVE_INFINITY ? text : cutToWidth(text, Math.max(0, columns));
}

// A call as one line for people. Pure, in the zone of the process.

import { formatDuration } from '../../accounting/call-sums.ts';
import { cutToWidth } from '../../accounting/display-width.ts';
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

/** What stands over the lines. */
export function callHead({ isHosts }: CallLineForm): readonly Piece[] {
  const parties = isHosts ? 'FROM -> TO' : 'PEER';
  return [{ text: `START                DIR       STATUS     DURATION  ${parties}`, style: 'dim' }];
}

/** A call in fixed columns, the parties last. What failed says why. */
export function callLine(call: CallRecord, { isHosts, columns }: CallLineForm): readonly Piece[] {
  const start = `${formatLocal(call.start)}  ${call.direction.padEnd(8)}  `;
  const duration = `  ${formatDuration(call.durationMs).padStart(8)}  `;
  const status = call.status.padEnd(9);
  const [from, to] = [shownUri(call.from), shownUri(call.to)];
  const parties = isHosts ? `${from} -> ${to}` : call.direction === 'in' ? from : to;
  const why =
    call.status === 'failed' ? `  ${call.code ?? ''} ${shownText(call.reason ?? '')}`.trimEnd() : '';
  const used = start.length + status.length + duration.length;
  const shown = columns === undefined ? parties : cutToWidth(parties, Math.max(1, columns - used));
  const left = columns === undefined ? why : cutToWidth(why, Math.max(0, columns - used - shown.length));
  return [
    start,
    { text: status, style: styles[call.status] },
    `${duration}${shown}`,
    { text: left, style: 'dim' },
  ];
}

// Calls for tests.

import type { CallRecord } from '../../src/home/acct.ts';

let count = 0;

/** A call of a minute that jan answered, with changes; `start` as ISO 8601. */
export function call(start: string, changes: Partial<CallRecord> = {}): CallRecord {
  const at = Date.parse(start);
  const { status = 'answered', durationMs = status === 'answered' ? 60_000 : 0 } = changes;
  count += 1;
  return {
    id: `call-${count}`,
    start: at,
    answer: status === 'answered' ? at + 2000 : undefined,
    end: at + 2000 + durationMs,
    durationMs,
    direction: 'in',
    from: 'sip:eva@example.net',
    to: 'sip:jan@example.org',
    callId: `call-id-${count}`,
    status,
    callee: 'jan',
    ...changes,
  };
}

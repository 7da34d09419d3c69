import { describe, expect, test } from 'vitest';
import { displayWidth } from '../../../src/accounting/display-width.ts';
import type { Piece } from '../../../src/cli/report.ts';
import { callHead, callLine } from '../../../src/cli/sipacct/call-line.ts';
import { call } from '../../accounting/call.ts';
import { useTimeZone } from '../../accounting/time-zone.ts';

useTimeZone('Europe/Berlin');

const text = (pieces: readonly Piece[]) =>
  pieces.map((piece) => (typeof piece === 'string' ? piece : piece.text)).join('');

test('the columns of a line are those of its head', () => {
  for (const isHosts of [true, false]) {
    const form = { isHosts, columns: undefined };
    const head = text(callHead(form));
    const line = text(callLine(call('2026-07-01T10:00:00Z', { durationMs: 3_723_000 }), form));
    expect(line.slice(head.indexOf('STATUS'))).toMatch(/^answered {4}1:02:03 {2}eva@/);
    expect(line.indexOf('eva@')).toBe(head.search(/PEER|FROM/));
    expect(line.startsWith('2026-07-01 12:00:00  in ')).toBe(true);
  }
});

test('an account sees the other side, the host sees both', () => {
  const form = { isHosts: false, columns: undefined };
  expect(text(callLine(call('2026-07-01T10:00:00Z', { direction: 'out' }), form))).toMatch(
    / {2}jan@example\.org$/,
  );
  expect(text(callLine(call('2026-07-01T10:00:00Z'), { ...form, isHosts: true }))).toMatch(
    / {2}eva@example\.net -> jan@example\.org$/,
  );
});

test('what failed says why', () => {
  const failed = call('2026-07-01T10:00:00Z', {
    status: 'failed',
    code: 503,
    reason: 'Service\nUnavailable',
  });
  expect(text(callLine(failed, { isHosts: false, columns: undefined }))).toMatch(
    /eva@example\.net {2}503 Service\\x0aUnavailable$/,
  );
});

test.each([
  [{ endedBy: 'restart' }, 'ended by restart'],
  [{ endedBy: 'max-duration', forwardedBy: 'tom' }, 'ended by max-duration, forwarded by tom'],
  [{ endedBy: 'caller' }, undefined],
  [{ status: 'missed', code: 408, reason: 'Request Timeout' }, undefined],
] as const)('says what is unusual of %j: %s', (changes, remark) => {
  const shown = text(callLine(call('2026-07-01T10:00:00Z', changes), { isHosts: false, columns: undefined }));
  expect(shown.split('eva@example.net')[1]).toBe(remark === undefined ? '' : `  ${remark}`);
});

describe.each([80, 60, 120])('on %i columns', (columns) => {
  test.each(['eva@example.net', `${'x'.repeat(200)}@x`, '\u7530'.repeat(100), '\u{1f4de}@x'])(
    'no line is wider and both sides are seen: %s',
    (name) => {
      for (const [from, to] of [
        [name, 'jan@x'],
        ['jan@x', name],
        [name, name],
      ]) {
        const one = call('2026-07-01T10:00:00Z', {
          from: `sip:${from}`,
          to: `sip:${to}`,
          status: 'failed',
          code: 503,
        });
        for (const isHosts of [true, false])
          expect(displayWidth(text(callLine(one, { isHosts, columns })))).toBeLessThanOrEqual(columns);
        const both = text(callLine(one, { isHosts: true, columns }));
        // On 60 columns there are 7 for both.
        if (columns === 60) continue;
        if (from === 'jan@x') expect(both).toContain('jan@x -> ');
        if (to === 'jan@x') expect(both).toContain(' -> jan@x');
      }
    },
  );
});

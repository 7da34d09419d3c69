import { expect, test } from 'vitest';
import { createLadder } from '../../../src/cli/sipctl/ladder.ts';
import type { TraceRecord } from '../../../src/control/trace-record.ts';

const [jan, us, eva] = ['192.0.2.1:5060', '192.0.2.9:5060', '192.0.2.2:5060'];
const noon = new Date(2026, 10, 26, 12, 0, 0, 7).getTime();

function message(source: string, destination: string, line: string): TraceRecord {
  return { time: noon, sent: source === us, transport: 'udp', source, destination, line, callId: 'c' };
}

test('an arrow leads from party to party, and names stand above once', () => {
  const ladder = createLadder(80);
  const lines = [
    ...ladder(message(jan, us, 'INVITE sip:eva@a.example SIP/2.0')),
    ...ladder(message(us, eva, 'INVITE sip:eva@192.0.2.2 SIP/2.0')),
    ...ladder(message(eva, us, 'SIP/2.0 180 Ringing')),
    ...ladder(message(us, jan, 'SIP/2.0 180 Ringing')),
  ];
  expect(lines).toEqual([
    '',
    '               192.0.2.1:5060        192.0.2.9:5060',
    '12:00:00.007          ├────── INVITE ──────▶│',
    '',
    '               192.0.2.1:5060        192.0.2.9:5060        192.0.2.2:5060',
    '12:00:00.007          │                     ├────── INVITE ──────▶│',
    '12:00:00.007          │                     │◀─── 180 Ringing ────┤',
    '12:00:00.007          │◀─── 180 Ringing ────┤                     │',
  ]);
});

test('an arrow passes over parties between, and one to itself stays', () => {
  const ladder = createLadder(120);
  for (const pair of [[jan, us] as const, [us, eva] as const]) ladder(message(...pair, 'BYE sip:x SIP/2.0'));
  const [over] = ladder(message(jan, eva, 'BYE sip:x SIP/2.0'));
  expect(over).toMatch(/^12:00:00\.007 +├─+ BYE ─+▶│$/);
  expect(ladder(message(us, us, 'BYE sip:x SIP/2.0')).at(-1)).toMatch(/↻ BYE $/);
});

test('no line is wider than the terminal, whoever speaks', () => {
  for (const columns of [20, 40, 80, 120, 200]) {
    const ladder = createLadder(columns);
    for (let number = 0; number < 60; number++) {
      const peer = `[2001:db8:1234:5678:9abc:def0:1234:${number.toString(16)}]:50${number}`;
      const pair = number % 2 === 0 ? ([peer, us] as const) : ([us, peer] as const);
      for (const line of ladder(message(...pair, `SIP/2.0 487 ${'Request Terminated '.repeat(5)}`)))
        expect(line.length, line).toBeLessThanOrEqual(Math.max(columns, 21));
    }
  }
});

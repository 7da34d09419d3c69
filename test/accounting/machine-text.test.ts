import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCallReport } from '../../src/accounting/call-report.ts';
import { localTime } from '../../src/accounting/local-time.ts';
import {
  asciiJson,
  callCsv,
  callCsvHead,
  csvLine,
  reportCsv,
  reportJsonLines,
  reportValue,
} from '../../src/accounting/machine-text.ts';
import { call } from './call.ts';

/** Reads a line of CSV as RFC 4180 has it. */
function readCsv(line: string): string[] {
  return [...`,${line}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,"]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain as string) : quoted.replaceAll('""', '"'),
  );
}

describe('CSV', () => {
  test.each(['=1+1', '+49 30 1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '\ufeff=1', '＝1', '"=1'])(
    '%j is no formula',
    (text) => {
      const [cell = ''] = readCsv(csvLine([text]));
      expect(cell).toMatch(/^['"]/);
      expect(cell.endsWith(text)).toBe(true);
    },
  );

  test('what no spreadsheet takes for a formula is left as it is, numbers too', () => {
    expect(csvLine(['sip:a@x', '', undefined, -1.5, 'a=b', "'quoted'"])).toBe("sip:a@x,,,-1.5,a=b,'quoted'");
  });

  test('any texts come back, but for the apostrophe, and none begins as a formula', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), (texts) => {
        const cells = readCsv(csvLine(texts));
        expect(cells.map((cell, at) => (cell === `'${texts[at]}` ? texts[at] : cell))).toEqual(texts);
        for (const cell of cells) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
      }),
    );
  });

  test('a call has a column for each key of the record', () => {
    const one = call('2026-11-01T10:00:00Z', {
      userAgent: '=HYPERLINK("http://x","y")',
      others: ['eva', 'tom'],
    });
    const cells = readCsv(callCsv(one));
    const head = callCsvHead.split(',');
    expect(cells).toHaveLength(head.length);
    expect(cells[head.indexOf('ua')]).toBe(`'=HYPERLINK("http://x","y")`);
    expect(cells[head.indexOf('duration')]).toBe('60');
    expect(cells[head.indexOf('answer')]).toBe('2026-11-01T10:00:02.000Z');
    expect(cells[head.indexOf('others')]).toBe('eva tom');
  });
});

describe('a report for programs', () => {
  const report = createCallReport('peer', 'jan');
  for (const one of [
    call('2026-11-01T10:00:00Z', { durationMs: 90_500, from: '=cmd' }),
    call('2026-11-01T10:00:00Z', { durationMs: 10_001, from: '=cmd' }),
    call('2026-11-01T10:00:00Z', { status: 'missed', from: 'sip:é\u009b@x' }),
  ])
    report.add(one, localTime(one.start));

  test('CSV has a row a key and no total', () => {
    expect(reportCsv(report)).toEqual([
      'peer,calls,answered,missed,busy,cancelled,failed,seconds,minutes,average,longest',
      "'=cmd,2,2,0,0,0,0,100.501,1.68,50.251,90.5",
      'sip:é\u009b@x,1,0,1,0,0,0,0,0,0,0',
    ]);
  });

  test('JSON has rows and a total', () => {
    expect(reportValue(report)).toMatchObject({
      by: 'peer',
      rows: [
        { peer: '=cmd', calls: 2, seconds: 100.501 },
        { peer: 'sip:é\u009b@x', missed: 1, average: 0 },
      ],
      total: { calls: 3, answered: 2, missed: 1, seconds: 100.501, longest: 90.5 },
    });
  });

  test('JSON lines are ASCII', () => {
    const lines = reportJsonLines(report);
    expect(lines.map((line) => JSON.parse(line).peer)).toEqual(['=cmd', 'sip:é\u009b@x']);
    expect(lines.join('')).toMatch(/^[\x20-\x7e]*$/);
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        (text) => void expect(JSON.parse(asciiJson(text))).toBe(text),
      ),
    );
  });
});

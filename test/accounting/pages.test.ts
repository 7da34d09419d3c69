// The HTML page and the SVG chart: what phones send is text there, and nothing is asked of the network.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCallReport, createCallWeek, type Grouping } from '../../src/accounting/call-report.ts';
import { chartOf } from '../../src/accounting/charts.ts';
import { htmlPage } from '../../src/accounting/html-page.ts';
import { localTime } from '../../src/accounting/local-time.ts';
import { escapeMarkup } from '../../src/accounting/markup.ts';
import { timeRows } from '../../src/accounting/time-rows.ts';
import type { CallRecord } from '../../src/home/acct.ts';
import { call } from './call.ts';
import { useTimeZone } from './time-zone.ts';

useTimeZone('UTC');

function added(by: Grouping, calls: readonly CallRecord[]) {
  const [report, days, week] = [
    createCallReport(by, 'jan'),
    createCallReport('day', 'jan'),
    createCallWeek(),
  ];
  for (const one of calls) {
    const time = localTime(one.start);
    for (const sums of [report, days]) sums.add(one, time);
    week.add(time);
  }
  return { report, days, week: week.calls };
}

const page = (by: Grouping, calls: readonly CallRecord[], title = 'Calls of jan') =>
  htmlPage({ title, subtitle: 'November', ...added(by, calls) });

/** The tags of a page without their content. */
const tags = (text: string) => text.match(/<[^>]*>/g) ?? [];

const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(2)>',
  "' onload='alert(3)",
  '&lt;&#60;',
  '</title></svg></table><iframe src=http://x>',
  '-->',
  ']]>',
  'a\u202eb\u0000c\ud800',
];

test.each(hostile)("another side's %j is text", (text) => {
  const plain = [call('2026-11-01T10:00:00Z', { from: 'sip:plain' })];
  const calls = [call('2026-11-01T10:00:00Z', { from: `sip:${text}` })];
  expect(tags(page('peer', calls)).length).toBe(tags(page('peer', plain)).length);
  expect(tags(chartOf(added('peer', calls).report))).toHaveLength(
    tags(chartOf(added('peer', plain).report)).length,
  );
  expect(tags(page('month', plain, text))).toHaveLength(tags(page('month', plain)).length);
  expect(page('peer', calls)).not.toContain(text);
  expect(chartOf(added('peer', calls).report)).not.toContain(text);
});

test('no text leaves the place it is put in', () => {
  const unit = fc.oneof(
    fc.constantFrom('<', '>', '"', "'", '&', '\0'),
    fc.string({ unit: 'binary', maxLength: 1 }),
  );
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      const escaped = escapeMarkup(text);
      expect(escaped).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
      expect(escaped).not.toMatch(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/);
    }),
  );
});

describe('the page', () => {
  const calls = [
    call('2026-11-02T10:00:00Z', { durationMs: 90_000 }),
    call('2026-11-04T15:00:00Z', { status: 'missed', from: 'sip:tom@x' }),
  ];
  const text = page('peer', calls);

  test('stands alone: its policy forbids the network, and only its own script runs', () => {
    expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(
      /https?:|\bsrc=|\bhref=|@import|url\(/,
    );
    const script = /<script>([\s\S]*?)<\/script>/.exec(text)?.[1] ?? '';
    const hash = createHash('sha256').update(script).digest('base64');
    expect(text).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}';`,
    );
    expect(() => new Function(script)).not.toThrow();
  });

  test('has the figures, a chart by day without gaps, one of the week, and a table with a total', () => {
    expect(text).toContain('<dt>Answered</dt><dd>1 (50\u00a0%)</dd>');
    expect([...text.matchAll(/<title>(2026-[^<]*)<\/title>/g)].map(([, title]) => title)).toEqual([
      '2026-11-02: 1 call, 1 answered',
      '2026-11-03: 0 calls, 0 answered',
      '2026-11-04: 1 call, 0 answered',
    ]);
    expect(text).toContain('<title>Wed 15:00: 1</title>');
    expect(text.match(/<title>\w{3} \d+:00: \d<\/title>/g)).toHaveLength(7 * 24);
    expect(text).toContain('<tr><td>tom@x</td><td data-value="1">1</td><td data-value="0">0</td>');
    expect(text).toContain('<tfoot><tr><td>Total</td><td data-value="2">2</td>');
  });

  test('of no call is a page too', () => {
    expect(tags(page('day', [])).filter((tag) => tag === '<tr>')).toHaveLength(2);
  });
});

test('more days than can be seen are drawn as months', () => {
  const calls = ['2024-12-31T10:00:00Z', '2026-03-01T10:00:00Z'].map((start) => call(start));
  const [unit, rows] = timeRows(added('day', calls).days.rows());
  expect(unit).toBe('month');
  expect(rows).toHaveLength(16);
  expect(rows.filter(({ sums }) => sums.calls > 0).map(({ key }) => key)).toEqual(['2024-12', '2026-03']);
});

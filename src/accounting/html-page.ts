// A report as one HTML page that stands alone: no network, readable on a phone and in the dark, and without scripts. Pure.

import { createHash } from 'node:crypto';
import { type CallReport, type ReportRow, WEEKDAYS } from './call-report.ts';
import { averageMs, type CallSums, formatDuration, formatMinutes } from './call-sums.ts';
import { chartStyle, timeChart, weekChart } from './charts.ts';
import { escapeMarkup } from './markup.ts';
import { shownUri } from './report-table.ts';
import { timeRows } from './time-rows.ts';

/** What is on the page. */
export interface PageContent {
  readonly title: string;
  /** The time the calls are of, and the zone. */
  readonly subtitle: string;
  /** What the table shows. */
  readonly report: CallReport;
  /** By day. */
  readonly days: CallReport;
  /** Calls by weekday, Monday first, and hour. */
  readonly week: readonly (readonly number[])[];
}

const style = `${chartStyle}
*{box-sizing:border-box}body{margin:0 auto;max-width:60rem;padding:1rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back)}
h1{font-size:1.5rem;margin:.5rem 0 0}h2{font-size:1.1rem;margin:0 0 .5rem}p{margin:.25rem 0 1rem;color:var(--soft)}
section{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:1rem;margin:1rem 0}
.wide{overflow-x:auto}.wide svg{display:block;min-width:40rem;width:100%;height:auto}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.75rem;margin:0}
dt{color:var(--soft);font-size:.85rem}dd{margin:0;font-size:1.5rem;font-variant-numeric:tabular-nums}
.key{display:inline-block;width:.75rem;height:.75rem;border-radius:2px;margin:0 .35rem 0 .9rem}
.key:first-child{margin-left:0}.key.answered{background:var(--answered)}.key.open{background:var(--open)}.legend{font-size:.85rem;margin:.5rem 0 0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .6rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:9rem}
tfoot{font-weight:600}th button{font:inherit;font-weight:600;color:inherit;background:none;border:0;padding:0;cursor:pointer}
th button:focus-visible{outline:2px solid var(--answered)}th[aria-sort] button::after{content:' ▲'}th[aria-sort=descending] button::after{content:' ▼'}`;

/** Sorts the table by the column whose head is pressed; the page says the same without it. */
const script = `
const table=document.querySelector('table'),body=table.tBodies[0];
for(const button of table.querySelectorAll('th button'))button.addEventListener('click',()=>{
const head=button.parentElement,at=head.cellIndex,down=head.getAttribute('aria-sort')!=='descending';
for(const other of table.querySelectorAll('th'))other.removeAttribute('aria-sort');
head.setAttribute('aria-sort',down?'descending':'ascending');
const value=(row)=>row.cells[at].dataset.value??row.cells[at].textContent;
const compare=(a,b)=>Number(value(a))-Number(value(b))||value(a).localeCompare(value(b));
body.append(...[...body.rows].sort((a,b)=>down?compare(b,a):compare(a,b)));
});
`;

const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'; base-uri 'none'; form-action 'none'`;

/** Formats the page. */
export function htmlPage({ title, subtitle, report, days, week }: PageContent): string {
  const [unit, rows] = timeRows(days.rows());
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapeMarkup(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeMarkup(title)}</h1>
<p>${escapeMarkup(subtitle)}</p>
<section><dl>
${summary(report.total)}
</dl></section>
<section><h2>Calls by ${unit}</h2>
<div class="wide" tabindex="0">${timeChart(rows)}</div>
<p class="legend"><span class="key answered"></span>answered<span class="key open"></span>not answered</p></section>
<section><h2>Calls by weekday and hour</h2>
<div class="wide" tabindex="0">${weekChart(week)}</div></section>
<section><h2>Calls by ${report.by}</h2>
<div class="wide" tabindex="0"><table>
<thead><tr>${[report.by, ...columnNames].map((name) => `<th scope="col"><button type="button">${capital(name)}</button></th>`).join('')}</tr></thead>
<tbody>
${report
  .rows()
  .map((row) => tableRow(row, report))
  .join('\n')}
</tbody>
<tfoot><tr><td>Total</td>${cells(report.total)}</tr></tfoot>
</table></div></section>
<script>${script}</script>
</body>
</html>
`;
}

const columnNames = ['calls', 'answered', 'missed', 'minutes', 'average', 'longest'] as const;

function summary(sums: CallSums): string {
  const share = sums.calls === 0 ? '' : ` (${Math.round((100 * sums.answered) / sums.calls)}\u00a0%)`;
  const figures = [
    ['Calls', String(sums.calls)],
    ['Answered', `${sums.answered}${share}`],
    ['Missed', String(sums.missed)],
    ['Minutes', formatMinutes(sums.durationMs)],
    ['Average', formatDuration(averageMs(sums))],
    ['Longest', formatDuration(sums.longestMs)],
  ];
  return figures.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('\n');
}

function tableRow({ key, sums }: ReportRow, { by }: CallReport): string {
  const name = by === 'peer' ? shownUri(key) : key;
  // Times and weekdays sort in the order they stand in.
  const order = by === 'weekday' ? ` data-value="${weekdayNames.indexOf(key)}"` : '';
  return `<tr><td${order}>${escapeMarkup(name)}</td>${cells(sums)}</tr>`;
}

const weekdayNames: readonly string[] = WEEKDAYS;

function cells(sums: CallSums): string {
  const average = averageMs(sums);
  return [
    [sums.calls, sums.calls],
    [sums.answered, sums.answered],
    [sums.missed, sums.missed],
    [sums.durationMs, formatMinutes(sums.durationMs)],
    [average, formatDuration(average)],
    [sums.longestMs, formatDuration(sums.longestMs)],
  ]
    .map(([value, text]) => `<td data-value="${value}">${text}</td>`)
    .join('');
}

function capital(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}

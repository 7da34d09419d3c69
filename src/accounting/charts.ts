// Charts as SVG elements: bars over time, a week by the hour, a ranking. Colours are the page's, by class. Pure.

import { type CallReport, isTime, type ReportRow, WEEKDAYS } from './call-report.ts';
import { escapeMarkup } from './markup.ts';
import { shownUri } from './report-table.ts';
import { timeRows } from './time-rows.ts';

/** The rules that the charts are coloured by, for light and dark. */
export const chartStyle = `
:root{color-scheme:light dark;--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--back:#fff;--card:#f6f8fa;--answered:#1f6feb;--open:#d4792a}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;--back:#0d1117;--card:#151b23;--answered:#4493f8;--open:#d9843b}}
svg text{font:12px system-ui,sans-serif;fill:var(--soft)}
svg .answered{fill:var(--answered)}svg .open{fill:var(--open)}svg .grid{stroke:var(--line)}svg .cell{fill:var(--answered)}
svg .empty{fill:var(--line);fill-opacity:.45}svg .name{fill:var(--ink)}`;

const WIDTH = 720;
const HEIGHT = 220;
const LEFT = 44;
const TOP = 12;
const BOTTOM = 24;
const LABEL_ROOM = 84;

/** Calls over time: a bar a row, those that were answered below, the others on top. */
export function timeChart(rows: readonly ReportRow[]): string {
  const [plotWidth, plotHeight] = [WIDTH - LEFT, HEIGHT - TOP - BOTTOM];
  const top = niceTop(Math.max(0, ...rows.map(({ sums }) => sums.calls)));
  const step = plotWidth / Math.max(1, rows.length);
  const width = Math.min(28, Math.max(0.5, step - Math.min(2, step / 4)));
  const y = (value: number) => TOP + plotHeight - (value / top) * plotHeight;
  const grid = [0, 0.5, 1].map((part) => {
    const at = round(y(top * part));
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH}" y1="${at}" y2="${at}"/><text x="${LEFT - 6}" y="${at + 4}" text-anchor="end">${round(top * part)}</text>`;
  });
  const every = Math.max(1, Math.ceil(LABEL_ROOM / step));
  const bars = rows.map(({ key, sums }, index) => {
    const x = round(LEFT + step * index + (step - width) / 2);
    const [low, high] = [y(sums.answered), y(sums.calls)];
    const answered = rectangle('answered', x, low, width, y(0) - low);
    const open = rectangle('open', x, high, width, low - high);
    const label =
      index % every === 0 && index + every / 2 <= rows.length
        ? `<text x="${round(x + width / 2)}" y="${HEIGHT - 6}" text-anchor="middle">${escapeMarkup(key)}</text>`
        : '';
    return `<g>${titleOf(key, sums)}${answered}${open}</g>${label}`;
  });
  return svg(WIDTH, HEIGHT, 'Calls over time', [...grid, ...bars]);
}

const CELL_WIDTH = 26;
const CELL_HEIGHT = 22;
const WEEK_LEFT = 40;
const WEEK_TOP = 20;

/** A week by the hour: the more calls, the fuller the colour. `calls[0]` is Monday's hours. */
export function weekChart(calls: readonly (readonly number[])[]): string {
  const most = Math.max(1, ...calls.flat());
  const hours = Array.from({ length: 8 }, (_, index) => index * 3).map(
    (hour) =>
      `<text x="${WEEK_LEFT + (hour + 0.5) * CELL_WIDTH}" y="${WEEK_TOP - 7}" text-anchor="middle">${hour}</text>`,
  );
  const days = calls.flatMap((row, day) => {
    const y = WEEK_TOP + day * CELL_HEIGHT;
    const cells = row.map((count, hour) => {
      const x = WEEK_LEFT + hour * CELL_WIDTH;
      const strength = count === 0 ? '' : ` fill-opacity="${round(0.15 + (0.85 * count) / most)}"`;
      return `<rect class="${count === 0 ? 'empty' : 'cell'}" x="${x + 1}" y="${y + 1}" width="${CELL_WIDTH - 2}" height="${CELL_HEIGHT - 2}" rx="3"${strength}><title>${WEEKDAYS[day]} ${hour}:00: ${count}</title></rect>`;
    });
    return [
      `<text x="${WEEK_LEFT - 8}" y="${y + CELL_HEIGHT / 2 + 4}" text-anchor="end">${WEEKDAYS[day]}</text>`,
      ...cells,
    ];
  });
  const [width, height] = [WEEK_LEFT + 24 * CELL_WIDTH, WEEK_TOP + 7 * CELL_HEIGHT + 2];
  return svg(width, height, 'Calls by weekday and hour', [...hours, ...days]);
}

const RANKED = 30;
const RANK_HEIGHT = 24;
const NAME_WIDTH = 300;

/** The rows with the most calls, one below the other. */
function rankChart(rows: readonly ReportRow[]): string {
  const shown = rows.slice(0, RANKED);
  const most = Math.max(1, ...shown.map(({ sums }) => sums.calls));
  const scale = (WIDTH - NAME_WIDTH - 60) / most;
  const bars = shown.map(({ key, sums }, index) => {
    const y = index * RANK_HEIGHT;
    const [answered, calls] = [sums.answered * scale, sums.calls * scale];
    const name = key.length > 42 ? `${key.slice(0, 41)}…` : key;
    return `<g>${titleOf(key, sums)}<text class="name" x="${NAME_WIDTH - 8}" y="${y + 16}" text-anchor="end">${escapeMarkup(name)}</text>${rectangle('answered', NAME_WIDTH, y + 4, answered, 16)}${rectangle('open', NAME_WIDTH + answered, y + 4, calls - answered, 16)}<text x="${round(NAME_WIDTH + calls + 6)}" y="${y + 16}">${sums.calls}</text></g>`;
  });
  return svg(WIDTH, Math.max(RANK_HEIGHT, shown.length * RANK_HEIGHT), 'Calls', bars);
}

/** A report as a file of SVG: over time, or its rows with the most calls. */
export function chartOf(report: CallReport): string {
  const rows = report.rows();
  const over = () => timeChart(report.by === 'day' ? timeRows(rows)[1] : rows);
  const chart = isTime(report.by)
    ? over()
    : rankChart(rows.map(({ key, sums }) => ({ key: shownUri(key), sums })));
  const style = `<style>${chartStyle}svg{background:var(--back)}</style>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${chart.replace('>', `>${style}`)}\n`;
}

function svg(width: number, height: number, label: string, elements: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">${elements.join('')}</svg>`;
}

function titleOf(key: string, { calls, answered }: ReportRow['sums']): string {
  return `<title>${escapeMarkup(key)}: ${calls} ${calls === 1 ? 'call' : 'calls'}, ${answered} answered</title>`;
}

function rectangle(name: string, x: number, y: number, width: number, height: number): string {
  if (height <= 0 || width <= 0) return '';
  return `<rect class="${name}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"/>`;
}

/** The next of 2, 4, 6, 8, 10, 20, 40 … that is not below a value: its half is a whole number. */
function niceTop(value: number): number {
  for (let unit = 1; ; unit *= 10)
    for (const factor of [2, 4, 6, 8, 10]) if (unit * factor >= value) return unit * factor;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The log of the selected process, and the feed of everybody's events. */
import type { Level } from '../../events/types.js';
import { day, stopwatch, timeOfDay } from '../format.js';
import { type Line, linesOf } from '../lineLog.js';
import type { DashboardModel } from '../model.js';
import { clip, clipRow, left, type Row, row, type Style, span } from '../text.js';
import { indexUntil, matchIn, selectedProcess, shownLines, type View } from '../view.js';

const levelStyles: Record<Level, Style> = {
  debug: { dim: true },
  info: {},
  warn: { color: 'yellow' },
  error: { color: 'red', bold: true },
};

export interface PaneSize {
  columns: number;
  rows: number;
}

/** The newest lines at the bottom; while there are few, they stand at the top. */
export function logRows(model: DashboardModel, view: View, { columns, rows }: PaneSize): Row[] {
  const lines = shownLines(model, view);
  if (lines.length === 0) return [row(span(' nothing said yet', { dim: true }))];
  const end = view.until === null ? lines.length : Math.max(1, indexUntil(lines, view.until) + 1);
  const shown = lines.slice(Math.max(0, end - rows), end);
  const isWide = columns >= 100;
  return shown.map(({ number, line }) => {
    const isMatch = view.search?.match === number;
    const head = `${isWide ? wideHead(model, view, line) : narrowHead(model, view, line)}`;
    const text = clip(line.text, columns - head.length);
    return clipRow([span(head, { dim: true }), ...highlighted(text, line.level, view, isMatch)], columns);
  });
}

/** 2024-09-23 05:17:33,450 - worker_2 - INFO  - : as in the paper's log */
function wideHead(model: DashboardModel, view: View, line: Line): string {
  const time = view.clock === 'day' ? `${day(line.timeMs)} ` : '';
  const clock = clockText(model, view, line);
  return `${time}${clock === '' ? '' : `${clock} - `}${line.src} - ${line.level.toUpperCase().padEnd(5)} - `;
}

function narrowHead(model: DashboardModel, view: View, line: Line): string {
  const clock = clockText(model, view, line);
  return `${clock === '' ? '' : `${clock} `}${line.level.toUpperCase().padEnd(5)} `;
}

function clockText({ startedMs }: DashboardModel, { clock }: View, { timeMs }: Line): string {
  if (clock === 'off') return '';
  return clock === 'day' ? timeOfDay(timeMs) : `+${stopwatch(timeMs - (startedMs ?? timeMs))}`;
}

function highlighted(text: string, level: Level, { search }: View, isMatch: boolean): Row {
  const style = levelStyles[level];
  const at = search === null ? -1 : matchIn(text, search.text);
  if (search === null || at < 0) return [span(text, style)];
  const end = at + search.text.length;
  const found: Style = isMatch ? { inverse: true, bold: true } : { inverse: true };
  return [
    span(text.slice(0, at), style),
    span(text.slice(at, end), { ...style, ...found }),
    span(text.slice(end), style),
  ];
}

/** What the log shows: process, pid, state of following, level; the search while it is on. */
export function logTitle(model: DashboardModel, view: View): string {
  const process = selectedProcess(model, view);
  if (process === undefined) return 'waiting for the first process';
  const { name, pid, log } = process;
  const news = log.total - view.seen;
  const following = view.until === null ? 'following' : `standing still${news > 0 ? `, +${news} new` : ''}`;
  return [
    name,
    ...(pid === null ? [] : [`pid ${pid}`]),
    following,
    ...(view.level === 'debug' ? [] : [`level ≥ ${view.level.toUpperCase()}`]),
    ...(log.dropped > 0 ? [`${log.dropped} older lines in the file`] : []),
  ].join(' · ');
}

/** "/loss: 3 of 12" while a search is on, else null */
export function searchText(model: DashboardModel, view: View): string | null {
  const { search } = view;
  if (search === null) return null;
  if (search.isTyping) return `find: ${search.text}_   Enter finds, Esc cancels`;
  const matches = shownLines(model, view).filter(({ line }) => matchIn(line.text, search.text) >= 0);
  const at = matches.findIndex(({ number }) => number === search.match);
  const place =
    matches.length === 0
      ? 'not found'
      : at < 0
        ? `${matches.length} found`
        : `${matches.length - at} of ${matches.length}`;
  return `find: ${search.text}   ${place}   n older  N newer  Esc ends`;
}

/** The newest events of all processes, oldest first. */
export function feedRows({ feed }: DashboardModel, { columns, rows }: PaneSize): Row[] {
  return linesOf(feed)
    .slice(-rows)
    .map(({ timeMs, src, level, text }) =>
      clipRow(
        [
          span(` ${timeOfDay(timeMs).slice(0, 8)}  `, { dim: true }),
          span(left(src, 9), { color: 'cyan' }),
          span(` ${text}`, level === 'info' ? {} : levelStyles[level]),
        ],
        columns,
      ),
    );
}

/** The lower right corner of the paper's screen: counters, `Latest Loss`, `type: assigned/active`, the name of the game. */
import { duration, stopwatch, tokens } from '../format.js';
import { taskLoad } from '../market.js';
import { type DashboardModel, remainingMs } from '../model.js';
import { clip, type Row, row, span } from '../text.js';

/** The one kind of task there is: a subnet trains one model. */
const taskType = 'model';

export interface BottomOptions {
  columns: number;
  rows: number;
  nowMs: number;
  isWide: boolean;
  title: string;
}

/** Exactly `rows` rows; the last one is the title, and positions count from there, as in the paper. */
export function bottomRows(
  model: DashboardModel,
  { columns, rows, nowMs, isWide, title }: BottomOptions,
): Row[] {
  const { market, latestLoss } = model;
  const { assigned, active } = taskLoad(market);
  const loss = latestLoss === null ? 'N/A' : latestLoss.toFixed(3);
  const lines: Row[] = [
    ...(isWide ? wideCounters(model, nowMs) : narrowCounters(model)).map((line) =>
      row(clip(` ${line}`, columns)),
    ),
    row(''),
    row(' ', span(`Latest Loss: ${loss}`, { color: 'cyan' })),
    row(''),
    row(' ', span(`${taskType}: ${assigned}/${active}`, { color: 'yellow' })),
    row(''),
    row(''),
    row(' ', span(clip(title, columns - 1), { color: 'yellow', bold: true })),
  ];
  return lines.slice(-rows);
}

function narrowCounters({ market }: DashboardModel): string[] {
  const { counts, staked, slashed } = market;
  return [
    `done ${counts.accepted} disputes ${counts.disputed}`,
    `staked ${tokens(staked).toFixed(0)} lost ${tokens(slashed).toFixed(0)}`,
  ];
}

function wideCounters(model: DashboardModel, nowMs: number): string[] {
  const { startedMs, endedMs, validationLoss } = model;
  const wallMs = startedMs === null ? 0 : (endedMs ?? nowMs) - startedMs;
  const left = remainingMs(model, nowMs);
  const eta = left === null ? '' : `   eta ${duration(left)}`;
  const validation = validationLoss === null ? '' : `   val. loss ${validationLoss.toFixed(3)}`;
  return [`wall ${stopwatch(wallMs)}${eta}${validation}`];
}

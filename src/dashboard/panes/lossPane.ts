/** The training loss in braille, small in the right column or large in a panel of its own. */
import { plot } from '../braille.js';
import { pointsOf } from '../lossCurve.js';
import type { DashboardModel } from '../model.js';
import { clip, type Row, right, row, span } from '../text.js';
import type { PaneSize } from './logPane.js';

/** Only the curve. */
export function sparkRows({ curve }: DashboardModel, { columns, rows }: PaneSize): Row[] {
  const chart = plot(pointsOf(curve), columns - 2, rows);
  return chart === null ? [] : chart.rows.map((line) => row(' ', span(line, { color: 'cyan' })));
}

/** The curve between its axes: loss in nats per token, and outer steps. */
export function chartRows(model: DashboardModel, { columns, rows }: PaneSize): Row[] {
  const labelColumns = 6;
  const lines = rows - 1;
  const chart = plot(pointsOf(model.curve), columns - labelColumns - 1, lines);
  if (chart === null) return [row(span(' no inner step has been told yet', { dim: true }))];
  const middle = Math.floor((lines - 1) / 2);
  const valueAt = (line: number) =>
    chart.highest - ((chart.highest - chart.lowest) * line) / Math.max(1, lines - 1);
  const isLabelled = (line: number) => line === 0 || line === lines - 1 || (lines >= 5 && line === middle);
  return [
    ...chart.rows.map((text, line) => {
      const label = isLabelled(line) ? valueAt(line).toFixed(2) : '';
      return row(span(`${right(label, labelColumns - 1)} `, { dim: true }), span(text, { color: 'cyan' }));
    }),
    row(span(axis(model, columns, labelColumns), { dim: true })),
  ];
}

function axis({ position, facts }: DashboardModel, columns: number, labelColumns: number): string {
  const reached = facts.innerSteps === 0 ? 0 : position / facts.innerSteps;
  const end = `${reached.toFixed(1)} of ${facts.rounds}`;
  const free = columns - labelColumns - 2 - end.length;
  const title = clip('outer steps', Math.max(0, free - 1));
  const before = Math.max(0, Math.floor((free - title.length) / 2));
  const text = `${' '.repeat(labelColumns)}0${' '.repeat(before)}${title}`;
  return `${text.padEnd(columns - 1 - end.length)}${end}`;
}

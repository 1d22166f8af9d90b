/** The help, made from the key table, and the questions that are asked before something is spent. */
import { type Ability, type KeyBinding, usableKeys } from '../keys.js';
import { clip, clipRow, left, padRow, type Row, row, span } from '../text.js';
import type { Question } from '../view.js';
import type { PaneSize } from './logPane.js';

const groupTitles: Record<KeyBinding['group'], string> = {
  look: 'Looking',
  log: 'The log',
  run: 'The run',
  replay: 'Replay',
  leave: 'Leaving',
};

const legend = [
  'S starting  I idle  D pulling  T training  U pushing  V verifying  R running',
  '! slashed  E ended  X dead     panels: log, loss, tasks, disputes, stakes',
  'Latest Loss: of the newest inner step, in nats per token',
  'model: tasks that have a solver / tasks that wait for a result.  Times are UTC.',
];

/** One column of keys, or two where one does not fit. */
export function helpRows(abilities: ReadonlySet<Ability>, { columns, rows }: PaneSize): Row[] {
  const keys = usableKeys(abilities);
  const groups = Object.entries(groupTitles).flatMap(([group, title]) => {
    const own = keys.filter((binding) => binding.group === group);
    return own.length === 0 ? [] : [row(span(` ${title}`, { bold: true })), ...own.map(keyRow)];
  });
  const notes = legend.map((line) => row(span(` ${clip(line, columns - 1)}`, { dim: true })));
  const isTall = groups.length + 1 + notes.length <= rows;
  const lines = isTall ? [...groups, row('')] : sideBySide(groups, columns);
  return [...lines, ...notes].slice(0, rows).map((line) => clipRow(line, columns));
}

function sideBySide(lines: readonly Row[], columns: number): Row[] {
  const half = Math.ceil(lines.length / 2);
  const side = Math.floor(columns / 2);
  return lines
    .slice(0, half)
    .map((first, i) => [...padRow(clipRow(first, side - 1), side), ...(lines[half + i] ?? [])]);
}

function keyRow({ label, does }: KeyBinding): Row {
  return row(span(`  ${left(label, 11)} `, { color: 'cyan' }), does);
}

/** Yes is typed; every other key is no. */
export function questionRows({ lines }: Question, { columns }: PaneSize): Row[] {
  const [title = '', ...rest] = lines;
  return [
    row(''),
    row(span(clip(` ${title}`, columns), { bold: true, color: 'yellow' })),
    ...rest.map((line) => row(clip(` ${line}`, columns))),
    row(''),
    row(
      span(' y', { color: 'cyan', bold: true }),
      ' yes    ',
      span('any other key', { color: 'cyan' }),
      ' no',
    ),
  ];
}

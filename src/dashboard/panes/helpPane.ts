/** The help, made from the key table, and the questions that are asked before something is spent. */
import { type Ability, type KeyBinding, usableKeys } from '../keys.js';
import { clip, clipRow, left, type Row, row, span } from '../text.js';
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
  'S staking  I idle  D pulling  T training  U pushing  V verifying  R running  ! slashed  E ended  X dead',
  'Latest Loss: of the newest inner step, nats per token. model: n/m: tasks with a solver / tasks that wait for a result.',
  'earned: prices of accepted tasks. Times are UTC.',
];

/** One column of keys, or two where one does not fit. */
export function helpRows(abilities: ReadonlySet<Ability>, { columns, rows }: PaneSize): Row[] {
  const groups = Object.entries(groupTitles).flatMap(([group, title]) => {
    const keys = usableKeys(abilities).filter((binding) => binding.group === group);
    return keys.length === 0 ? [] : [[row(span(` ${title}`, { bold: true })), ...keys.map(keyRow)]];
  });
  const lines = groups.flat();
  const notes = legend.map((line) => row(span(` ${clip(line, columns - 1)}`, { dim: true })));
  const free = rows - notes.length - 1;
  if (lines.length <= free) return [...lines, row(''), ...notes].map((line) => clipRow(line, columns));
  const half = Math.ceil(lines.length / 2);
  const side = Math.floor(columns / 2);
  const paired = lines
    .slice(0, half)
    .map((first, i) => [
      ...padTo(clipRow(first, side - 1), side),
      ...clipRow(lines[half + i] ?? row(''), columns - side),
    ]);
  return [...paired.slice(0, rows - Math.max(0, Math.min(notes.length, rows - half))), ...notes].slice(
    0,
    rows,
  );
}

function keyRow({ label, does }: KeyBinding): Row {
  return row(span(`   ${left(label, 12)} `, { color: 'cyan' }), does);
}

function padTo(line: Row, columns: number): Row {
  const used = line.reduce((sum, { text }) => sum + text.length, 0);
  return [...line, span(' '.repeat(Math.max(0, columns - used)))];
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

/** Tasks, disputes and stakes as tables. */
import { duration, tokens } from '../format.js';
import { type CheckModel, type DisputeModel, type TaskModel, taskLoad } from '../market.js';
import { type DashboardModel, processList } from '../model.js';
import { clip, clipRow, left, padRow, type Row, right, row, type Style, span } from '../text.js';
import { taskRows, type View } from '../view.js';
import type { PaneSize } from './logPane.js';

const taskStyles: Record<TaskModel['state'], Style> = {
  open: { color: 'yellow' },
  assigned: { color: 'green' },
  submitted: { color: 'cyan' },
  disputed: { color: 'magenta' },
  accepted: { dim: true },
  rejected: { color: 'red' },
  gone: { dim: true },
};

export function taskTable(model: DashboardModel, view: View, { columns, rows }: PaneSize): Row[] {
  const tasks = taskRows(model);
  if (tasks.length === 0) return [row(span(' no task has been posted yet', { dim: true }))];
  const now = model.market.blockTime;
  const { drawn, passed, convicted } = model.market.counts;
  const checks = drawn === 0 ? '' : `  checks: ${drawn} drawn, ${passed} passed, ${convicted} convicted`;
  const lines = tasks.map((task, i) => {
    const { taskId, round, slot, state, solver, attempt, price, changedAt, check } = task;
    const since = duration((now - changedAt) * 1000);
    const texts = taskColumns({
      mark: i === view.tableRow ? '*' : ' ',
      ...{ task: taskId.slice(0, 10), slot: `${round}.${slot}`, state, solver: nameOf(model, solver) },
      ...{ attempt: String(attempt), price: tokens(price).toFixed(0), since },
    });
    const cells = [
      span(texts.before),
      span(texts.state, taskStyles[state]),
      span(texts.money),
      span(texts.since, { dim: true }),
      ...(check === null ? [] : [checkCell(model, check)]),
    ];
    return clipRow(i === view.tableRow ? cells.map((cell) => ({ ...cell, bold: true })) : cells, columns);
  });
  const titles = taskColumns({
    ...{ mark: ' ', task: 'task', slot: 'slot', state: 'state', solver: 'solver' },
    ...{ attempt: 'try', price: 'price', since: 'since' },
  });
  const names = Object.values(titles).join('');
  const room = columns - names.length;
  const head = row(span(clip(room < checks.length ? names : `${names}${checks}`, columns), { dim: true }));
  return [head, ...windowOf(lines, view.tableRow, rows - 1)];
}

type TaskTexts = Record<
  'mark' | 'task' | 'slot' | 'state' | 'solver' | 'attempt' | 'price' | 'since',
  string
>;

/** One line of the table, its titles too: 56 columns, which is what a terminal of 80 leaves for it. */
function taskColumns({ mark, task, slot, state, solver, attempt, price, since }: TaskTexts) {
  return {
    before: ` ${mark} ${left(task, 10)}${right(slot, 5)} `,
    state: left(state, 10),
    money: `${left(solver, 10)}${right(attempt, 4)}${right(price, 6)}`,
    since: right(since, 7),
  };
}

/** How the drawn check stands, then whose it is: the second is cut off first. */
function checkCell(model: DashboardModel, { checker, state }: CheckModel) {
  const colours: Partial<Record<CheckModel['state'], Style>> = {
    ...{ passed: { color: 'green' }, differs: { color: 'magenta' } },
    ...{ convicted: { color: 'red' }, failed: { color: 'red' }, absent: { color: 'red' } },
  };
  return span(`  ${state} ${nameOf(model, checker)}`, colours[state] ?? {});
}

export function disputeTable(model: DashboardModel, view: View, { columns, rows }: PaneSize): Row[] {
  const disputes = [...model.market.disputes.values()].reverse();
  if (disputes.length === 0) return [row(span(' no result has been disputed', { dim: true }))];
  const blocks = disputes.map((dispute, i) => disputeBlock(model, dispute, i === view.tableRow, columns));
  const before = blocks.slice(0, view.tableRow).flat().length;
  const all = blocks.flat();
  return all.slice(Math.max(0, Math.min(before, all.length - rows))).slice(0, rows);
}

function disputeBlock(
  model: DashboardModel,
  dispute: DisputeModel,
  isSelected: boolean,
  columns: number,
): Row[] {
  const { taskId, disputer, solver, step, panels, verdict, slashed } = dispute;
  const outcome =
    verdict === null ? 'open' : verdict === 'valid' ? 'LOST: the result is right' : `UPHELD: ${verdict}`;
  const style: Style =
    verdict === null ? { color: 'magenta' } : verdict === 'valid' ? { color: 'red' } : { color: 'green' };
  const head = [
    span(` ${isSelected ? '*' : ' '} ${taskId.slice(0, 10)}  `, { bold: isSelected }),
    span(outcome, style),
    span(`  ${nameOf(model, disputer)} against ${nameOf(model, solver)}, step ${step}`),
  ];
  const fine =
    slashed > 0n
      ? [row(span(`     ${nameOf(model, solver)} slashed ${tokens(slashed)}`, { color: 'red' }))]
      : [];
  return [
    ...[head, ...panels.map((panel) => panelRow(model, panel)), ...fine].map((line) =>
      clipRow(line, columns),
    ),
    row(''),
  ];
}

function panelRow(
  model: DashboardModel,
  { round, size, fee, votes, ruling }: DisputeModel['panels'][number],
): Row {
  const said = votes.map(({ voter, verdict }) => `${nameOf(model, voter)} ${verdict ?? '…'}`).join(', ');
  return row(
    span(`     panel ${round} of ${size} for ${tokens(fee)}: `, { dim: true }),
    span(said === '' ? 'being drawn' : said),
    span(ruling === null ? '' : `  rules ${ruling}`, { bold: true }),
  );
}

/** A bar per account at risk. */
export function stakeRows(model: DashboardModel, { columns, rows }: PaneSize): Row[] {
  const accounts = processList(model).filter(
    ({ isWorker, staked, slashed }) => isWorker || staked > 0n || slashed > 0n,
  );
  const most = Math.max(1, ...accounts.map(({ staked, slashed }) => tokens(staked + slashed)));
  const barColumns = columns >= 70 ? 24 : 10;
  return accounts.slice(0, rows).map(({ name, staked, slashed, earned }) => {
    const filled = Math.round((tokens(staked) / most) * barColumns);
    const lost = Math.min(barColumns - filled, Math.round((tokens(slashed) / most) * barColumns));
    return clipRow(
      [
        span(`   ${left(name, 9)} `),
        span('█'.repeat(filled), { color: 'green' }),
        span('░'.repeat(lost), { color: 'red' }),
        span(' '.repeat(barColumns - filled - lost)),
        span(right(tokens(staked).toFixed(0), 6)),
        span(right(slashed > 0n ? `-${tokens(slashed).toFixed(0)}` : '', 6), { color: 'red' }),
        span(earned > 0n ? ` earned ${tokens(earned).toFixed(0)}` : '', { dim: true }),
      ],
      columns,
    );
  });
}

/** Counts and times of tasks, checks and disputes. */
export function taskFigures(model: DashboardModel, { columns, rows }: PaneSize): Row[] {
  const { market, audits } = model;
  const { counts, solveSeconds } = market;
  const { assigned, active } = taskLoad(market);
  const sorted = [...solveSeconds].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted.length === 0 ? '-' : `${sorted[Math.floor(share * (sorted.length - 1))]} s`;
  const lines = [
    `   waiting ${active}   assigned ${assigned}   solved ${counts.submitted}   final ${counts.accepted}`,
    `   checked ${audits.right + audits.wrong}   disputed ${counts.disputed}   upheld ${counts.upheld}   lost ${counts.lost}`,
    `   solved in ${at(0.5)} (median)   ${at(0.95)} (p95)   late ${counts.late}`,
  ];
  return lines.slice(0, rows).map((line) => row(clip(line, columns)));
}

export function rule(title: string, columns: number): Row {
  const text = title === '' ? '' : `─ ${title} `;
  return row(span(clip(text.padEnd(columns, '─'), columns), { dim: true }));
}

/** A bar across the screen. */
export function bar(text: string, columns: number, style: Style): Row {
  return padRow([span(clip(text, columns), style)], columns, style);
}

function nameOf({ names }: DashboardModel, address: string | null): string {
  if (address === null || address === '') return '-';
  return names.get(address) ?? address.slice(0, 10);
}

function windowOf<T>(lines: T[], around: number, rows: number): T[] {
  const from = Math.max(0, Math.min(around - Math.floor(rows / 2), lines.length - rows));
  return lines.slice(from, from + rows);
}

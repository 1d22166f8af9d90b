/** The numbers behind a report for other programs (CSV) and for a page of a CI job (Markdown). Pure. */
import { formatTokens } from '../events/amount.js';
import { short } from '../events/describe.js';
import type { ReportModel } from './model.js';

type Cell = string | number | null;

/** Every inner step, and the validation loss after every outer step. Losses in nats per token, empty cells where there is nothing. */
export function lossCsv({ loss }: ReportModel): string {
  const training = loss.training.map(({ seconds, worker, round, slot, step, taskId, loss: value }) => [
    ...['training', seconds, worker, round, slot, step, taskId, value, null],
  ]);
  const validation = loss.validation.map(({ seconds, round, loss: value, tokens }) => [
    ...['validation', seconds, 'sot', round, null, null, null, value, tokens],
  ]);
  const header = ['kind', 'seconds', 'process', 'round', 'slot', 'step', 'task', 'loss', 'tokens'];
  return csv(
    header,
    [...training, ...validation].sort((a, b) => Number(a[1]) - Number(b[1])),
  );
}

export function tasksCsv({ tasks }: ReportModel): string {
  const header = [
    ...[
      'task',
      'round',
      'slot',
      'attempt',
      'state',
      'solver',
      'price',
      'posted',
      'assigned',
      'submitted',
      'ended',
    ],
    ...['first_loss', 'last_loss', 'compute_seconds', 'audits', 'disputer', 'disputed_step'],
  ];
  return csv(
    header,
    tasks.map((task) => [
      ...[task.taskId, task.round, task.slot, task.attempt, task.state, task.solver, task.price],
      ...[task.postedAt, task.assignedAt, task.submittedAt, task.endedAt, task.firstLoss, task.lastLoss],
      ...[task.computeSeconds, task.audits.length, task.disputer, task.disputedStep],
    ]),
  );
}

export function summaryMarkdown(model: ReportModel): string {
  const { summary, verification, disputes, problem, command } = model;
  const { loss, tasks, ledger } = summary;
  const nats = (value: number | null) => (value === null ? '-' : value.toFixed(4));
  const rows: [string, string][] = [
    ['outcome', problem === null ? model.outcome : `${model.outcome}: ${problem.message}`],
    ['validation loss', nats(loss.validation)],
    ['training loss, first and last', `${nats(loss.first)}, ${nats(loss.last)}`],
    ['rounds, tokens', `${summary.rounds}, ${summary.tokens}`],
    [
      'tasks',
      `${tasks.posted} posted, ${tasks.accepted} accepted, ${tasks.rejected} rejected, ${tasks.expired} expired`,
    ],
    [
      'audited',
      `${verification.audited} of ${verification.submitted} submitted, ${verification.auditsWrong} found wrong`,
    ],
    ['disputes', String(disputes.length)],
    [
      'ledger',
      `${ledger.deposited} deposited = ${ledger.paid} paid + ${ledger.burned} burned + ${ledger.held} held`,
    ],
    [
      'engine time',
      `${summary.computeSeconds.toFixed(1)} s, ${summary.multiplier ?? '-'} x the accepted solutions`,
    ],
    ['gas', `${summary.gas.total}, ${summary.gas.perTask ?? '-'} per accepted task`],
    ['wall time', `${summary.wallSeconds.toFixed(1)} s`],
    ['final state', summary.finalStateRoot ?? '-'],
  ];
  return [
    `# Run ${model.run}: ${model.outcome}`,
    '',
    '| what | |',
    '|---|---|',
    ...rows.map(([label, value]) => `| ${label} | ${value.replaceAll('|', '\\|').replaceAll('\n', ' ')} |`),
    '',
    '![loss over time](loss.png)',
    ...disputes.map(
      ({ taskId, solver, disputer, step, verdict }) =>
        `\n- task ${short(taskId)} of ${solver}, disputed by ${disputer} at step ${step ?? '-'}: ${verdict}`,
    ),
    ...(command === null ? [] : ['', 'To run it again:', '', '```', command, '```']),
    '',
  ].join('\n');
}

/** RFC 4180 */
function csv(header: readonly string[], rows: readonly Cell[][]): string {
  const cell = (value: Cell) => {
    const text = value === null ? '' : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}

/** For the page: whole tokens as they are, a dash for nothing, and a sign for what is gained. */
export function signedTokens(amount: bigint): string {
  if (amount === 0n) return '–';
  return amount > 0n ? `+${formatTokens(amount)}` : formatTokens(amount).replace('-', '−');
}

/** The summary of a run for people: what it reached, what it cost, where to look. */
import { relative } from 'node:path';
import { short } from '../events/describe.js';
import { plural } from '../events/plural.js';
import type { RunSummary } from '../events/summary.js';

/** report: path of report.html; null when there is none */
export function summaryText(summary: RunSummary, runFolder: string, report: string | null): string {
  const { loss, tasks, ledger, disputes, slashed } = summary;
  const rows: [string, string][] = [
    ['run', `${summary.runId}, ${summary.outcome}`],
    ['loss', `first ${nats(loss.first)}  last ${nats(loss.last)}  validation ${nats(loss.validation)}`],
    [
      'trained',
      `${plural(summary.rounds, 'round')}, ${summary.tokens} tokens, state ${summary.finalStateRoot ?? '-'}`,
    ],
    [
      'tasks',
      `${tasks.posted} posted, ${tasks.accepted} accepted, ${tasks.rejected} rejected, ${tasks.expired} expired`,
    ],
    ...disputes.map((dispute): [string, string] => [
      'dispute',
      `task ${short(dispute.taskId)} step ${dispute.step ?? '-'}: ${dispute.verdict} after ${plural(dispute.rounds, 'panel')}, ${dispute.slashed} slashed`,
    ]),
    ...Object.entries(slashed).map(([account, amount]): [string, string] => [
      'slashed',
      `${account} ${amount}`,
    ]),
    [
      'ledger',
      `${ledger.deposited} deposited = ${ledger.paid} paid + ${ledger.burned} burned + ${ledger.held} held`,
    ],
    [
      'compute',
      `${summary.computeSeconds.toFixed(1)} s, ${summary.multiplier ?? '-'} x the accepted solutions`,
    ],
    ['gas', `${summary.gas.total}, ${summary.gas.perTask ?? '-'} per accepted task`],
    ['traffic', `${megabytes(summary.bytes.up)} up, ${megabytes(summary.bytes.down)} down`],
    ['wall', `${summary.wallSeconds.toFixed(1)} s`],
    ['files', shortPath(runFolder)],
    ...(report === null ? [] : [['report', shortPath(report)] as [string, string]]),
  ];
  return rows.map(([label, text]) => `${label.padEnd(8)} ${text}`).join('\n');
}

function nats(loss: number | null): string {
  return loss === null ? '-' : loss.toFixed(4);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** As one would type it here. */
function shortPath(path: string): string {
  const fromHere = relative('.', path);
  return fromHere.startsWith('..') ? path : fromHere;
}

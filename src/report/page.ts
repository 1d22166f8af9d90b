/** The report as one HTML file that needs nothing else: no script, no font, no picture from outside. Pure. */
import { formatTokens } from '../events/amount.js';
import { short } from '../events/describe.js';
import { plural } from '../events/plural.js';
import type { Figure } from './charts.js';
import type { DisputeRow, ReportModel, TaskRow } from './model.js';
import { columns, type MoneyFlow } from './money.js';
import { signedTokens } from './tables.js';

/** A figure and its picture: one <svg> element. */
export interface Drawn extends Figure {
  svg: string;
}

export function reportPage(model: ReportModel, figures: readonly Drawn[]): string {
  const figure = (id: string) => figures.filter((drawn) => drawn.id === id).map(figureElement);
  const { run, outcome, problem, command, alerts } = model;
  const sections: [id: string, title: string, content: Html | Html[]][] = [
    ['training', 'Training', [...figure('loss'), lossTable(model)]],
    ['market', 'Money', [...figure('money'), moneySection(model.money)]],
    ['tasks', 'Tasks', [...figure('work'), taskTable(model.tasks)]],
    ['disputes', 'Disputes', disputeSection(model.disputes)],
    ['verification', 'Verification', [verificationTable(model), ...figure('effort')]],
    ['network', 'Traffic and gas', [...figure('traffic'), trafficTable(model)]],
    ...(alerts.length === 0 ? [] : [['alerts', 'Warnings', alertTable(alerts)] as [string, string, Html]]),
    ['environment', 'Environment', environmentSection(model)],
  ];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${`Panthalia run ${run}: ${outcome}`}</title>
<style>${raw(style)}</style>
</head>
<body>
<header>
<p class="brand">Panthalia</p>
<h1>Run ${run} <span class="outcome ${outcome}">${outcome}</span></h1>
${problem === null ? '' : html`<p class="problem">${problem.message}${problem.code === null ? '' : html` <code>${problem.code}</code>`}</p>`}
${tiles(model)}
${command === null ? '' : html`<p>To run it again: <code class="command">${command}</code></p>`}
<nav>${sections.map(([id, title]) => html`<a href="#${id}">${title}</a> `)}</nav>
</header>
<main>
${sections.map(([id, title, content]) => html`<section id="${id}"><h2>${title}</h2>\n${content}</section>\n`)}
</main>
</body>
</html>
`.text;
}

function tiles({ summary, verification, startedAt }: ReportModel): Html {
  const { loss, tasks, wallSeconds } = summary;
  const tile = (label: string, value: string, note: string) =>
    html`<div class="tile"><b>${value}</b><span>${label}</span><small>${note}</small></div>`;
  const slashed = Object.values(summary.slashed).length;
  return html`<div class="tiles">
${tile('validation loss', nats(loss.validation), `training ${nats(loss.first)} to ${nats(loss.last)}`)}
${tile('tokens', summary.tokens.toLocaleString('en'), plural(summary.rounds, 'outer step'))}
${tile('tasks accepted', `${tasks.accepted} of ${tasks.posted}`, `${tasks.rejected} rejected, ${tasks.expired} expired`)}
${tile('disputes', String(summary.disputes.length), slashed === 0 ? 'nobody slashed' : `${plural(slashed, 'account')} slashed`)}
${tile('verification', verification.overhead === null ? '–' : percent(verification.overhead), 'of solving time')}
${tile('wall time', duration(wallSeconds), startedAt === null ? '' : startedAt.slice(0, 16).replace('T', ' '))}
</div>`;
}

function figureElement({ id, title, text, svg }: Drawn): Html {
  return html`<figure id="figure-${id}" aria-label="${`${title}. ${text}`}">
<figcaption><b>${title}.</b> ${text}</figcaption>
${raw(svg)}
</figure>\n`;
}

function lossTable({ loss, summary, onChain }: ReportModel): Html {
  if (loss.validation.length === 0) return html`<p>No outer step was made.</p>`;
  const best = Math.min(...loss.validation.map((step) => step.loss));
  // A long run has thousands: the head and the tail say how it went, loss.csv has the rest.
  const shown = loss.validation.filter((_, i, all) => all.length <= 20 || i < 10 || i >= all.length - 10);
  const left = loss.validation.length - shown.length;
  return html`${table(
    ['outer step', 'at', 'tokens', 'validation loss'],
    shown.map((step) => [
      String(step.round),
      duration(step.seconds),
      step.tokens.toLocaleString('en'),
      html`${nats(step.loss)}${step.loss === best ? html` <span class="best">best</span>` : ''}`,
    ]),
    [0, 1, 2, 3],
  )}${left === 0 ? '' : html`<p>${plural(left, 'outer step')} in the middle left out; loss.csv has all of them.</p>`}
<p>Final state root <code>${summary.finalStateRoot ?? '–'}</code></p>
${onChainLine(onChain, summary.finalStateRoot)}`;
}

function onChainLine(onChain: ReportModel['onChain'], final: string | null): Html {
  if (onChain === null) return html`<p>No outer step is on chain.</p>`;
  const { rounds, stateRoot } = onChain;
  const says = stateRoot === final ? 'the same' : html`<code>${stateRoot}</code>`;
  return html`<p>On chain after ${plural(rounds, 'outer step')}: ${says}</p>`;
}

function moneySection(money: MoneyFlow | null): Html {
  if (money === null) return html`<p>The journal of this run does not hold the rules of its market.</p>`;
  const { rows, sums, compared, differences } = money;
  const cells = (row: Record<(typeof columns)[number], bigint>) =>
    columns.map((column) => signedTokens(row[column]));
  const checked =
    compared === null
      ? html`<p>The vault was not asked at the end, so only the events speak here.</p>`
      : differences.length === 0
        ? html`<p class="good" id="books">The books balance: every column sums to zero, and all ${String(compared)} accounts of the vault hold what the events say.</p>`
        : html`<p class="problem" id="books">${plural(differences.length, 'account')} of the vault differ from what the events say: ${differences.map(({ name, replayed, onChain }) => html`${name} has ${formatTokens(onChain)}, expected ${formatTokens(replayed)}. `)}</p>`;
  return html`${table(
    ['account', ...columns, 'holds', 'free', 'vault says'],
    [
      ...rows.map((row) => [
        ...[html`<span title="${row.account ?? ''}">${row.name}</span>`, ...cells(row)],
        ...(row.account === null
          ? [signedTokens(row.held), '', '']
          : [formatTokens(row.held), formatTokens(row.free)]),
        ...(row.account === null ? [] : [row.freeOnChain === null ? '?' : formatTokens(row.freeOnChain)]),
      ]),
      [html`<b>sum</b>`, ...cells(sums), signedTokens(sums.held), '', ''],
    ],
    [1, 2, 3, 4, 5, 6, 7, 8],
  )}${checked}
<p class="note">Tokens. Each row: what was put in, and what was won and lost since. “holds” is free, staked and bonded together; “free” is what
the account can withdraw. “slashing” counts what bonds lost, and who received it.</p>`;
}

function taskTable(tasks: readonly TaskRow[]): Html {
  const body = tasks.map((task) => [
    html`<code title="${task.taskId}">${short(task.taskId)}</code>`,
    `${task.round}.${task.slot}`,
    html`<span class="state ${task.state}">${task.state}</span>`,
    `${task.solver ?? '–'}${task.attempt > 1 ? ` (attempt ${task.attempt})` : ''}`,
    duration(task.postedAt),
    span(task.postedAt, task.assignedAt),
    span(task.assignedAt, task.submittedAt),
    span(task.submittedAt, task.endedAt),
    task.firstLoss === null ? '–' : `${nats(task.firstLoss)} → ${nats(task.lastLoss)}`,
    auditText(task),
  ]);
  const head = [
    'task',
    'round.slot',
    'state',
    'solver',
    'posted',
    'drawn after',
    'solved in',
    'decided after',
  ];
  return html`<details ${raw(tasks.length <= 40 ? 'open' : '')}><summary>${plural(tasks.length, 'task')}</summary>${table(
    [...head, 'loss', 'audits'],
    body,
    [4, 5, 6, 7, 8],
  )}</details>`;
}

function auditText({ audits, check, disputer, disputedStep }: TaskRow): string {
  const found = audits.map(({ by, firstWrongStep }) =>
    firstWrongStep === null ? `${by}: right` : `${by}: wrong from step ${firstWrongStep}`,
  );
  if (check !== null) found.push(`checked by ${check.by}: ${check.outcome}`);
  if (disputer !== null) found.push(`disputed by ${disputer} at step ${disputedStep}`);
  // Who looks unasked and is drawn as well has found the same twice.
  return found.length === 0 ? '–' : [...new Set(found)].join('; ');
}

function disputeSection(disputes: readonly DisputeRow[]): Html {
  if (disputes.length === 0) return html`<p>Nobody disputed anything.</p>`;
  return html`${disputes.map(
    ({ taskId, round, slot, solver, disputer, step, verdict, panels, burned }) => html`<article>
<h3>Task <code title="${taskId}">${short(taskId)}</code> of ${solver}: <span class="state ${verdict}">${verdict}</span></h3>
<p>Round ${String(round)}, slot ${String(slot)}. ${disputer} says that step ${String(step ?? '–')} is wrong. ${burned} tokens burned.</p>
${panels.map(
  (
    panel,
  ) => html`<p>Panel ${String(panel.panel)}, called by ${panel.payer} for ${panel.fee}, rules <b>${panel.ruling}</b>.</p>
${table(
  ['seat', 'verifier', 'vote', 'digest of the re-execution', 'share', 'bond lost'],
  panel.seats.map(({ seat, voter, vote, answer, got, lost }) => [
    ...[String(seat), voter, html`<span class="state ${vote}">${vote}</span>`],
    answer === null ? '–' : html`<code title="${answer}">${short(answer)}</code>`,
    ...[got, lost],
  ]),
  [0, 4, 5],
)}`,
)}</article>\n`,
  )}`;
}

function verificationTable({ verification, summary }: ReportModel): Html {
  const { submitted, audited, checked, auditsRight, auditsWrong, votes, seconds, overhead } = verification;
  const all = seconds.accepted + seconds.discarded + seconds.auditing + seconds.verifying;
  const time = (value: number) => `${value.toFixed(1)} s${all === 0 ? '' : `, ${percent(value / all)}`}`;
  return table(
    ['', ''],
    [
      ['submitted tasks that somebody re-executed unasked', `${audited} of ${submitted}`],
      ['that somebody was drawn to check', `${checked} of ${submitted}`],
      ['audits and checks that found the same bits', String(auditsRight)],
      ['audits and checks that found a wrong step', String(auditsWrong)],
      ['votes computed in panels', String(votes)],
      ['engine time in accepted solutions', time(seconds.accepted)],
      ['in solutions that were not accepted', time(seconds.discarded)],
      ['in audits and checks', time(seconds.auditing)],
      ['in panels', time(seconds.verifying)],
      ['verification over solving', overhead === null ? '–' : percent(overhead)],
      [
        'all engine time over that of the accepted solutions',
        summary.multiplier === null ? '–' : `${summary.multiplier} x`,
      ],
    ],
    [1],
  );
}

function trafficTable({ traffic, summary }: ReportModel): Html {
  const speed = (value: number | null) => (value === null ? '–' : `${(value / 1e6).toFixed(1)} MB/s`);
  const size = (value: number) => `${(value / 1e6).toFixed(2)} MB`;
  const { bytes, gas } = summary;
  return html`${table(
    ['process', 'up', 'at', 'down', 'at', 'transactions', 'gas'],
    [
      ...traffic.map(({ process, up, upRate, down, downRate, transactions, gas: used }) => [
        ...[process, size(up), speed(upRate), size(down), speed(downRate)],
        ...[String(transactions), used.toLocaleString('en')],
      ]),
      [html`<b>sum</b>`, size(bytes.up), '', size(bytes.down), '', '', gas.total.toLocaleString('en')],
    ],
    [1, 2, 3, 4, 5, 6],
  )}<p>Gas per accepted task: ${gas.perTask === null ? '–' : gas.perTask.toLocaleString('en')}</p>`;
}

function alertTable(alerts: ReportModel['alerts']): Html {
  return table(
    ['at', 'process', 'level', 'message'],
    alerts.map(({ seconds, src, level, message }) => [duration(seconds), src, level, message]),
    [0],
  );
}

function environmentSection({ environment, manifest }: ReportModel): Html {
  return html`${table(
    ['', ''],
    environment.map(([label, value]) => [label, html`<code>${value}</code>`]),
    [],
  )}${manifest === null ? '' : html`<details><summary>Manifest: everything needed to reproduce the weights</summary><pre>${JSON.stringify(manifest, null, 2)}</pre></details>`}
<p class="note">The journal (journal.jsonl) in the run folder holds every event; <code>panthalia replay</code> shows it again,
<code>panthalia why &lt;task or account&gt;</code> explains each payment.</p>`;
}

/** right: columns of numbers */
function table(head: string[], rows: (Html | string)[][], right: number[]): Html {
  const align = (i: number) => raw(right.includes(i) ? ' class="number"' : '');
  const isNamed = head.some((title) => title !== '');
  return html`<div class="scroll"><table>
${isNamed ? html`<thead><tr>${head.map((title, i) => html`<th${align(i)}>${title}</th>`)}</tr></thead>` : ''}
<tbody>${rows.map((row) => html`<tr>${row.map((cell, i) => html`<td${align(i)}>${cell}</td>`)}</tr>\n`)}</tbody>
</table></div>\n`;
}

function nats(loss: number | null): string {
  return loss === null ? '–' : loss.toFixed(4);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function span(from: number | null, to: number | null): string {
  return from === null || to === null ? '–' : duration(to - from);
}

/** 12.3 s, 4 min 05 s, 3 h 07 min */
function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (hours > 0) return `${hours} h ${String(minutes).padStart(2, '0')} min`;
  return `${minutes} min ${String(rest).padStart(2, '0')} s`;
}

/** Markup; everything else that is put into it is text. */
class Html {
  constructor(readonly text: string) {}
}

type Content = Html | string | readonly Html[];

function html(parts: TemplateStringsArray, ...contents: Content[]): Html {
  return new Html(parts.reduce((text, part, i) => text + textOf(contents[i - 1] ?? '') + part));
}

function textOf(content: Content): string {
  if (content instanceof Html) return content.text;
  if (typeof content !== 'string') return content.map(textOf).join('');
  return content.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Ours, or vega's. */
function raw(text: string): Html {
  return new Html(text);
}

const style = `
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1c2430; --soft: #66707f; --line: #d9dee6; --tint: #f4f6f9; --good: #00754f; --bad: #b83a00; }
@media (prefers-color-scheme: dark) { :root { --paper: #12161c; --ink: #e4e8ee; --soft: #98a3b3; --line: #2d3641; --tint: #1a2029; --good: #35c693; --bad: #ff8a50; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1000px; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
.brand { margin: 0; color: var(--soft); letter-spacing: .12em; text-transform: uppercase; font-size: 12px; }
h1 { margin: 0 0 .5rem; font-size: 26px; } h2 { margin: 2.5rem 0 .75rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); font-size: 20px; } h3 { margin: 1.25rem 0 .25rem; font-size: 16px; }
.outcome { font-size: 15px; vertical-align: middle; padding: .15rem .6rem; border: 1px solid; border-radius: 1rem; color: var(--bad); } .outcome.completed { color: var(--good); }
.problem { color: var(--bad); } .good { color: var(--good); } .note { color: var(--soft); font-size: 13px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: .75rem; margin: 1rem 0; }
.tile { display: flex; flex-direction: column; padding: .75rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--tint); } .tile b { font-size: 20px; } .tile small { color: var(--soft); }
nav a { margin-right: 1rem; } a { color: inherit; }
figure { margin: 1rem 0; } figure svg { display: block; max-width: 100%; height: auto; } figcaption { color: var(--soft); font-size: 13px; margin-bottom: .5rem; } figcaption b { color: var(--ink); }
.scroll { overflow-x: auto; } details td:last-child { min-width: 9rem; } table { border-collapse: collapse; margin: .5rem 0; font-size: 13px; } th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; } th { color: var(--soft); font-weight: 600; white-space: nowrap; } details th, details td { padding-inline: .3rem; } details th { white-space: normal; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code, pre { font: 12.5px ui-monospace, monospace; } code { overflow-wrap: anywhere; } td code { white-space: nowrap; } .command { padding: .2rem .4rem; border-radius: .25rem; background: var(--tint); border: 1px solid var(--line); } pre { overflow-x: auto; padding: .75rem; background: var(--tint); }
.state.accepted, .state.valid, .best { color: var(--good); } .state.rejected, .state.invalid, .state.expired, .state.voided { color: var(--bad); }
summary { cursor: pointer; color: var(--soft); }
@media print { body { max-width: none; } section { break-inside: avoid-page; } details { display: block; } }
`;

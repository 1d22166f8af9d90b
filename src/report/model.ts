/** A run as its report tells it: plain numbers and rows, from the events and the summary. Pure. */
import { formatTokens } from '../events/amount.js';
import { short } from '../events/describe.js';
import type { RunSummary } from '../events/summary.js';
import type { PanthaliaEvent, StampedEvent } from '../events/types.js';
import type { ChainFact } from '../protocol/facts.js';
import { ledgerOf } from '../protocol/ledger.js';
import { applyFacts } from '../protocol/market.js';
import { emptyMarket, type MarketView } from '../protocol/marketView.js';
import type { Address, Hex32, RunManifest } from '../protocol/task.js';
import { type MoneyFlow, moneyFlow } from './money.js';

/** Seconds are since the start of the run, losses nats per token, names those of processes. */
export interface ReportModel {
  run: string;
  /** completed, interrupted or failed */
  outcome: string;
  /** why it did not complete */
  problem: { message: string; code: string | null } | null;
  /** to run it again; null when the journal does not tell */
  command: string | null;
  /** ISO-8601; null when the journal holds no start */
  startedAt: string | null;
  summary: RunSummary;
  manifest: RunManifest | null;
  loss: LossFigure;
  /** outer steps that the buyer put on chain, and the state root after them; null when there are none */
  onChain: { rounds: number; stateRoot: Hex32 } | null;
  /** null when the journal does not hold the rules of the market */
  money: MoneyFlow | null;
  tasks: TaskRow[];
  disputes: DisputeRow[];
  /** what engines did when */
  work: WorkBar[];
  verification: Verification;
  traffic: TrafficRow[];
  alerts: { seconds: number; src: string; level: string; message: string }[];
  environment: [label: string, value: string][];
}

export interface LossFigure {
  training: TrainingPoint[];
  /** after each outer step. tokens: trained on in accepted tasks until then */
  validation: { seconds: number; round: number; loss: number; tokens: number }[];
  marks: { seconds: number; kind: 'dispute' | 'slash'; label: string }[];
}

export interface TrainingPoint {
  seconds: number;
  worker: string;
  round: number;
  slot: number;
  step: number;
  taskId: Hex32;
  loss: number;
}

export interface TaskRow {
  taskId: Hex32;
  round: number;
  slot: number;
  attempt: number;
  state: string;
  /** null when nobody was drawn */
  solver: string | null;
  disputer: string | null;
  disputedStep: number | null;
  price: string;
  postedAt: number;
  /** null when it did not come to that */
  assignedAt: number | null;
  submittedAt: number | null;
  endedAt: number | null;
  firstLoss: number | null;
  lastLoss: number | null;
  computeSeconds: number | null;
  audits: { by: string; firstWrongStep: number | null }[];
  /** by whoever was drawn to; null when nobody was */
  check: { by: string; outcome: string } | null;
}

export interface DisputeRow {
  taskId: Hex32;
  round: number;
  slot: number;
  solver: string;
  disputer: string;
  step: number;
  verdict: string;
  burned: string;
  panels: {
    panel: number;
    payer: string;
    fee: string;
    ruling: string;
    seats: { seat: number; voter: string; vote: string; answer: Hex32 | null; got: string; lost: string }[];
  }[];
}

export interface WorkBar {
  process: string;
  kind: 'solving' | 'auditing' | 'verifying';
  from: number;
  to: number;
  taskId: Hex32;
}

export interface Verification {
  submitted: number;
  /** submitted tasks that at least one worker re-executed unasked */
  audited: number;
  /** that whoever was drawn to did */
  checked: number;
  auditsRight: number;
  auditsWrong: number;
  votes: number;
  /** engine time; discarded: solutions that were not accepted; auditing: drawn checks included */
  seconds: { accepted: number; discarded: number; auditing: number; verifying: number };
  /** time of audits and votes over the time of solving; null when nothing was solved */
  overhead: number | null;
}

export interface TrafficRow {
  process: string;
  /** bytes */
  up: number;
  down: number;
  /** bytes per second while a transfer ran; null without one */
  upRate: number | null;
  downRate: number | null;
  transactions: number;
  gas: bigint;
}

type Of<T extends PanthaliaEvent['type']> = Extract<StampedEvent, { type: T }>;

interface Story {
  of<T extends PanthaliaEvent['type']>(type: T): Of<T>[];
  /** seconds since the start */
  at(event: StampedEvent): number;
  market: MarketView;
  nameOf(account: Address): string;
}

/** summary: as the run wrote it, or as its events give it */
export function reportModel(events: readonly StampedEvent[], summary: RunSummary): ReportModel {
  const of = <T extends PanthaliaEvent['type']>(type: T) =>
    events.filter((event): event is Of<T> => event.type === type);
  const [started] = of('run.started');
  const startMs = Date.parse((started ?? events[0])?.t ?? new Date(0).toISOString());
  const facts = of('chain.fact').map(({ fact }) => fact);
  const story: Story = {
    of,
    at: ({ t }) => (Date.parse(t) - startMs) / 1000,
    market: applyFacts(emptyMarket(), facts),
    nameOf: namesOf(started),
  };
  const manifest = (started?.manifest as RunManifest | undefined) ?? null;
  const problem = of('alert').findLast(({ level, src }) => level === 'error' && src === 'simulate');
  const command = started?.options.command;
  return {
    ...{ run: summary.runId, outcome: summary.outcome, summary, manifest },
    problem: problem === undefined ? null : { message: problem.message, code: problem.code ?? null },
    command: typeof command === 'string' ? command : null,
    startedAt: started?.t ?? null,
    loss: lossFigure(story, manifest),
    onChain: onChainOf(story),
    money: moneyOf(story, facts),
    tasks: taskRows(story),
    disputes: disputeRows(story),
    work: workBars(story),
    verification: verificationOf(story),
    traffic: trafficRows(story),
    alerts: of('alert')
      .filter(({ level }) => level === 'warn' || level === 'error')
      .map((event) => ({
        ...{ seconds: story.at(event), src: event.src, level: event.level, message: event.message },
      })),
    environment: environmentRows(started, manifest),
  };
}

/** An account that the run does not know keeps the head of its address. */
function namesOf(started: Of<'run.started'> | undefined): (account: Address) => string {
  const accounts = (started?.options.accounts ?? {}) as Record<string, Address>;
  const names = new Map(Object.entries(accounts).map(([name, address]) => [address, name]));
  return (account) => names.get(account) ?? short(account);
}

function lossFigure({ of, at, nameOf }: Story, manifest: RunManifest | null): LossFigure {
  const { rows, tokens } = manifest?.batch ?? { rows: 0, tokens: 0 };
  const roundTokens = (manifest?.slotsPerRound ?? 0) * (manifest?.innerSteps ?? 0) * rows * tokens;
  return {
    training: of('train.step').map((event) => {
      const { src: worker, round, slot, step, taskId, loss } = event;
      return { seconds: at(event), worker, round, slot, step, taskId, loss };
    }),
    validation: of('outer.step').map((event) => {
      const { round, validationLoss: loss } = event;
      return { seconds: at(event), round, loss, tokens: (round + 1) * roundTokens };
    }),
    marks: of('chain.fact').flatMap((event): LossFigure['marks'] => {
      const { fact } = event;
      const seconds = at(event);
      if (fact.type === 'CaseOpened') {
        const label = `${nameOf(fact.disputer)} disputes task ${short(fact.taskId)}`;
        return [{ seconds, kind: 'dispute', label }];
      }
      if (fact.type !== 'SeatSlashed') return [];
      return [
        { seconds, kind: 'slash', label: `${nameOf(fact.account)} loses ${formatTokens(fact.amount)}` },
      ];
    }),
  };
}

/** The run's own job; others may have theirs in the same registry. */
function onChainOf({ market, nameOf }: Story): ReportModel['onChain'] {
  const job = [...market.jobs.values()].find(({ buyer }) => nameOf(buyer) === 'master');
  return job === undefined ? null : { rounds: job.rounds, stateRoot: job.stateRoot };
}

function moneyOf({ of, nameOf }: Story, facts: readonly ChainFact[]): MoneyFlow | null {
  const deployed = of('chain.deployed')[0];
  if (deployed?.terms === undefined) return null;
  const entries = ledgerOf(facts, deployed.terms);
  return moneyFlow({
    ...{ entries, nameOf, contracts: deployed.contracts },
    counted: of('vault.counted').at(-1) ?? null,
  });
}

function taskRows({ of, at, market, nameOf }: Story): TaskRow[] {
  const facts = of('chain.fact');
  const lastTime = (...types: ChainFact['type'][]) =>
    new Map(
      facts.flatMap((event) =>
        'taskId' in event.fact && types.includes(event.fact.type) ? [[event.fact.taskId, at(event)]] : [],
      ),
    );
  const posted = new Map(
    facts.flatMap((event) =>
      event.fact.type === 'BatchCreated' ? event.fact.taskIds.map((id) => [id, at(event)]) : [],
    ),
  );
  const assigned = lastTime('TaskAssigned');
  const submitted = lastTime('TaskSubmitted');
  const ended = lastTime('TaskAccepted', 'TaskRejected', 'TaskExpired', 'TaskCancelled', 'TaskVoided');
  const steps = groupBy(of('train.step'), ({ taskId, src }) => `${src}/${taskId}`);
  const solved = groupBy(of('task.solved'), ({ taskId, src }) => `${src}/${taskId}`);
  const audits = groupBy([...of('audit.finished'), ...of('check.computed')], ({ taskId }) => taskId);
  return [...market.tasks.values()].map((task) => {
    const { taskId, round, slot, attempt, state, disputedStep } = task;
    const solver = task.solver === null ? null : nameOf(task.solver);
    const own = `${solver}/${taskId}`;
    const check = market.checks.get(taskId);
    return {
      ...{ taskId, round, slot, attempt, state, solver, disputedStep },
      disputer: task.disputer === null ? null : nameOf(task.disputer),
      price: formatTokens(task.price),
      postedAt: posted.get(taskId) ?? 0,
      assignedAt: assigned.get(taskId) ?? null,
      submittedAt: submitted.get(taskId) ?? null,
      endedAt: ended.get(taskId) ?? null,
      firstLoss: steps.get(own)?.[0]?.loss ?? null,
      lastLoss: steps.get(own)?.at(-1)?.loss ?? null,
      computeSeconds: solved.get(own)?.at(-1)?.computeSeconds ?? null,
      check:
        check === undefined ? null : { by: nameOf(check.checker), outcome: check.outcome ?? check.phase },
      audits: (audits.get(taskId) ?? []).map(({ src, firstWrongStep }) => ({ by: src, firstWrongStep })),
    };
  });
}

function disputeRows({ market, nameOf }: Story): DisputeRow[] {
  return [...market.cases.values()].flatMap(({ taskId, disputer, step, rounds, verdict, burned }) => {
    const task = market.tasks.get(taskId);
    if (task === undefined) return [];
    const panels = rounds.map(({ round: panel, payer, fee, ruling, seats }) => ({
      ...{ panel, payer: nameOf(payer), fee: formatTokens(fee), ruling: ruling ?? 'pending' },
      seats: seats.map(({ seat, voter, committed, verdict: vote, answer, paid, slashed }) => ({
        ...{ seat, voter: nameOf(voter), answer },
        vote: vote ?? (committed ? 'not revealed' : 'no vote'),
        got: formatTokens(paid),
        lost: formatTokens(slashed),
      })),
    }));
    return [
      {
        ...{ taskId, round: task.round, slot: task.slot, panels, step },
        solver: task.solver === null ? '-' : nameOf(task.solver),
        disputer: nameOf(disputer),
        verdict: verdict ?? 'pending',
        burned: formatTokens(burned),
      },
    ];
  });
}

function workBars({ of, at }: Story): WorkBar[] {
  const bar =
    (kind: WorkBar['kind']) =>
    (event: Of<'task.solved' | 'audit.finished' | 'check.computed' | 'vote.computed'>) => ({
      ...{ process: event.src, kind, taskId: event.taskId, to: at(event) },
      from: Math.max(0, at(event) - event.computeSeconds),
    });
  return [
    ...of('task.solved').map(bar('solving')),
    ...of('audit.finished').map(bar('auditing')),
    ...of('check.computed').map(bar('auditing')),
    ...of('vote.computed').map(bar('verifying')),
  ];
}

function verificationOf({ of, market }: Story): Verification {
  const [unasked, drawn] = [of('audit.finished'), of('check.computed')];
  const audits = [...unasked, ...drawn];
  const votes = of('vote.computed');
  const solved = of('task.solved');
  const accepted = solved.filter(({ taskId, resultRoot }) => {
    const task = market.tasks.get(taskId);
    return task?.state === 'accepted' && task.submission?.resultRoot === resultRoot;
  });
  const seconds = {
    accepted: computeSeconds(accepted),
    discarded: computeSeconds(solved) - computeSeconds(accepted),
    auditing: computeSeconds(audits),
    verifying: computeSeconds(votes),
  };
  const solving = seconds.accepted + seconds.discarded;
  return {
    submitted: [...market.tasks.values()].filter(({ submission }) => submission !== null).length,
    audited: new Set(unasked.map(({ taskId }) => taskId)).size,
    checked: new Set(drawn.map(({ taskId }) => taskId)).size,
    auditsRight: audits.filter(({ firstWrongStep }) => firstWrongStep === null).length,
    auditsWrong: audits.filter(({ firstWrongStep }) => firstWrongStep !== null).length,
    votes: votes.length,
    seconds,
    overhead: solving === 0 ? null : (seconds.auditing + seconds.verifying) / solving,
  };
}

function trafficRows({ of }: Story): TrafficRow[] {
  const pushed = groupBy(of('blob.pushed'), ({ src }) => src);
  const pulled = groupBy(of('blob.pulled'), ({ src }) => src);
  const sent = groupBy(of('transaction.sent'), ({ src }) => src);
  const processes = [...new Set([...pushed.keys(), ...pulled.keys(), ...sent.keys()])].sort();
  return processes.map((process) => {
    const up = transferred(pushed.get(process) ?? []);
    const down = transferred(pulled.get(process) ?? []);
    const transactions = sent.get(process) ?? [];
    return {
      ...{ process, up: up.bytes, upRate: up.rate, down: down.bytes, downRate: down.rate },
      transactions: transactions.length,
      gas: transactions.reduce((sum, { gasUsed }) => sum + gasUsed, 0n),
    };
  });
}

function transferred(transfers: readonly { sizeBytes: number; seconds: number }[]) {
  const bytes = transfers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const seconds = transfers.reduce((sum, transfer) => sum + transfer.seconds, 0);
  return { bytes, rate: seconds === 0 ? null : bytes / seconds };
}

function environmentRows(
  started: Of<'run.started'> | undefined,
  manifest: RunManifest | null,
): ReportModel['environment'] {
  const told = (started?.options.environment ?? {}) as Record<string, unknown>;
  const rows = Object.entries(told).map(([label, value]): [string, string] => [label, String(value)]);
  if (manifest === null) return rows;
  const { layers, heads, width, blockSize, vocabSize } = manifest.model;
  return [
    ...rows,
    ['opset', manifest.opset],
    [
      'model',
      `${layers} layers, ${heads} heads, width ${width}, block ${blockSize}, vocabulary ${vocabSize}`,
    ],
    ['dataset', manifest.dataset],
    ['seed', manifest.seed],
  ];
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

function computeSeconds(events: readonly { computeSeconds: number }[]): number {
  return events.reduce((sum, event) => sum + event.computeSeconds, 0);
}

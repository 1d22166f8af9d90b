/** The tables of a report: tasks, disputes, work, traffic. Pure. */
import { formatTokens } from '../events/amount.js';
import type { PanthaliaEvent, StampedEvent } from '../events/types.js';
import type { ChainFact } from '../protocol/facts.js';
import type { MarketView } from '../protocol/marketView.js';
import type { Address } from '../protocol/task.js';
import type { DisputeRow, TaskRow, TrafficRow, Verification, WorkBar } from './model.js';

export type Of<T extends PanthaliaEvent['type']> = Extract<StampedEvent, { type: T }>;

/** What the rows are read from. */
export interface Story {
  /** the events of this type, in order */
  of<T extends PanthaliaEvent['type']>(type: T): Of<T>[];
  /** seconds since the start */
  at(event: StampedEvent): number;
  market: MarketView;
  nameOf(account: Address): string;
}

export function taskRows({ of, at, market, nameOf }: Story): TaskRow[] {
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

export function disputeRows({ market, nameOf }: Story): DisputeRow[] {
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

export function workBars({ of, at }: Story): WorkBar[] {
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

export function verificationOf({ of, market }: Story): Verification {
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

export function trafficRows({ of }: Story): TrafficRow[] {
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

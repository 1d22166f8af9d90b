/** What a worker could do now, most urgent first. Pure questions about the market. */
import type { Head } from '../chain/follow.js';
import type { Claim } from '../protocol/appeal.js';
import { currentRound, isTerminal, solversBefore } from '../protocol/marketQueries.js';
import type { CaseView, MarketView, RoundPhase, TaskView } from '../protocol/marketView.js';
import { positionKey } from '../protocol/marketView.js';
import type { Address } from '../protocol/task.js';
import { type AuditPolicy, shouldAudit } from '../protocol/unaskedAudits.js';
import type { SeatRef } from '../protocol/vote.js';

/** A seat of ours in the newest round of an open case, without a vote yet. */
export interface OpenSeat extends SeatRef {
  phase: RoundPhase;
  committed: boolean;
  /** last second for the commitment or the opening */
  deadline: number;
}

/** Seats that wait for a commitment or an opening, while there is time. */
export function openSeats(view: MarketView, head: Head, self: Address): OpenSeat[] {
  const open: OpenSeat[] = [];
  for (const { caseId, settled, ...kase } of view.cases.values()) {
    const round = currentRound({ caseId, settled, ...kase });
    if (settled || round === undefined) continue;
    const deadline = round.phase === 'commit' ? round.commitBy : round.revealBy;
    if ((round.phase !== 'commit' && round.phase !== 'reveal') || deadline === null) continue;
    if (head.timestamp > deadline) continue;
    for (const { seat, voter, committed, verdict } of round.seats) {
      if (voter !== self || verdict !== null) continue;
      if (round.phase === 'reveal' && !committed) continue;
      open.push({ caseId, round: round.round, seat, phase: round.phase, committed, deadline });
    }
  }
  return open.sort((a, b) => a.deadline - b.deadline);
}

/** Tasks to solve, the most pressing first. */
export function tasksToSolve(view: MarketView, head: Head, self: Address): TaskView[] {
  return byDeadline(
    [...view.tasks.values()].filter((task) => canSolve(task, head, self)),
    (task) => task.solveBy,
  );
}

export function canSolve(task: TaskView | undefined, head: Head, self: Address): boolean {
  return task?.state === 'assigned' && task.solver === self && head.timestamp <= (task.solveBy ?? 0);
}

/** Submissions that this account audits, the window that closes first in front. */
export function tasksToAudit(
  view: MarketView,
  head: Head,
  options: { self: Address; policy: AuditPolicy },
): TaskView[] {
  const due = [...view.tasks.values()].filter((task) => {
    if (!canAudit(task, head) || task.solver === null || task.submittedBlock === null) return false;
    const { solver, round } = task;
    const stakers = solversBefore(view, task.subnetId, task.submittedBlock);
    return shouldAudit(options.policy, { solver, round }, options.self, stakers);
  });
  return byDeadline(due, (task) => task.challengeBy);
}

/** Also while others dispute it: a case that its disputer means to lose must not be the only one. */
export function canAudit(task: TaskView | undefined, head: Head): boolean {
  const isWaiting = task !== undefined && ['submitted', 'disputed', 'undecided'].includes(task.state);
  return isWaiting && head.timestamp <= (task.challengeBy ?? 0);
}

export interface OwnCase {
  task: TaskView;
  kase: CaseView;
  claim: Claim;
}

/** Open cases with something of this account at stake: a result of its own, or the fee of a dispute. */
export function ownCases(view: MarketView, self: Address): OwnCase[] {
  return [...view.cases.values()].flatMap((kase): OwnCase[] => {
    const task = view.tasks.get(kase.taskId);
    if (task === undefined || kase.settled || isTerminal(task.state)) return [];
    if (task.solver === self) return [{ task, kase, claim: 'valid' }];
    return kase.disputer === self ? [{ task, kase, claim: 'invalid' }] : [];
  });
}

/** Why nothing is to be done. */
export function idleReason(view: MarketView, subnetId: number, self: Address): string {
  const position = view.positions.get(positionKey(subnetId, 'solver', self));
  if (position?.jailed) return 'convicted: verifying only';
  if (position === undefined || position.seats === 0) return 'no solver seat staked';
  const busy = [...view.tasks.values()].filter(
    (task) => task.solver === self && ['submitted', 'disputed', 'undecided'].includes(task.state),
  ).length;
  return busy >= position.seats ? 'all seats locked until their tasks are final' : 'waiting to be drawn';
}

function byDeadline(tasks: TaskView[], deadlineOf: (task: TaskView) => number | null): TaskView[] {
  return tasks.sort((a, b) => (deadlineOf(a) ?? 0) - (deadlineOf(b) ?? 0));
}

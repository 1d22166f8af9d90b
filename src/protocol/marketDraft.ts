/** A view while facts are folded into it, and changes of single parts of it. What the view does not know, such as a task of
 *  another subnet, is not changed. */
import type { Role } from './facts.js';
import {
  type CaseView,
  type CheckView,
  type CommitmentView,
  type JobView,
  type MarketView,
  type PositionView,
  positionKey,
  type RoundView,
  type SeatView,
  type SubnetView,
  type TaskView,
} from './marketView.js';
import type { Address, Hex32 } from './task.js';

export interface Draft extends MarketView {
  tasks: Map<Hex32, TaskView>;
  cases: Map<Hex32, CaseView>;
  checks: Map<Hex32, CheckView>;
  scores: Map<string, number>;
  commitments: Map<string, CommitmentView>;
  positions: Map<string, PositionView>;
  seeds: Map<number, Hex32>;
  jobs: Map<string, JobView>;
  subnets: Map<number, SubnetView>;
}

/** A copy, whose parts can be replaced. */
export function draftOf(view: MarketView): Draft {
  return {
    subnetId: view.subnetId,
    block: view.block,
    tasks: new Map(view.tasks),
    cases: new Map(view.cases),
    checks: new Map(view.checks),
    scores: new Map(view.scores),
    commitments: new Map(view.commitments),
    positions: new Map(view.positions),
    seeds: new Map(view.seeds),
    jobs: new Map(view.jobs),
    subnets: new Map(view.subnets),
    ledger: { ...view.ledger },
  };
}

export function changeTask(draft: Draft, taskId: Hex32, change: Partial<TaskView>): void {
  const task = draft.tasks.get(taskId);
  if (task !== undefined) draft.tasks.set(taskId, { ...task, ...change });
}

export function changeCheck(draft: Draft, taskId: Hex32, change: Partial<CheckView>): void {
  const check = draft.checks.get(taskId);
  if (check !== undefined) draft.checks.set(taskId, { ...check, ...change });
}

export function changeCase(draft: Draft, caseId: Hex32, change: (kase: CaseView) => Partial<CaseView>): void {
  const kase = draft.cases.get(caseId);
  if (kase !== undefined) draft.cases.set(caseId, { ...kase, ...change(kase) });
}

export function changeRound(
  draft: Draft,
  at: { caseId: Hex32; round: number },
  change: (round: RoundView) => Partial<RoundView>,
): void {
  changeCase(draft, at.caseId, (kase) => ({
    rounds: kase.rounds.map((round) => (round.round === at.round ? { ...round, ...change(round) } : round)),
  }));
}

export function changeSeat(
  draft: Draft,
  at: { caseId: Hex32; round: number; seat: number; voter: Address },
  change: Partial<SeatView>,
): void {
  changeRound(draft, at, (round) => ({
    seats: withSeat(round.seats, {
      ...(round.seats.find((seat) => seat.seat === at.seat) ?? emptySeat(at.seat, at.voter)),
      ...change,
    }),
  }));
}

export function withSeat(seats: SeatView[], value: SeatView): SeatView[] {
  return [...seats.filter((other) => other.seat !== value.seat), value].sort((a, b) => a.seat - b.seat);
}

export function emptySeat(seat: number, voter: Address): SeatView {
  return { seat, voter, committed: false, verdict: null, answer: null, closed: false, paid: 0n, slashed: 0n };
}

export function changePosition(
  draft: Draft,
  at: { subnetId: number; role: Role; account: Address; blockNumber: number },
  change: (position: PositionView) => Partial<PositionView>,
): void {
  const { subnetId, role, account } = at;
  const key = positionKey(subnetId, role, account);
  const position = draft.positions.get(key) ?? {
    subnetId,
    role,
    account,
    seats: 0,
    stakedBlock: at.blockNumber,
    unstaking: 0,
    unlockAt: 0,
    jailed: false,
    slashed: 0n,
  };
  draft.positions.set(key, { ...position, ...change(position) });
}

export function changeSubnet(
  { subnets }: Draft,
  { subnetId }: { subnetId: number },
  change: Partial<SubnetView>,
): void {
  const subnet = subnets.get(subnetId);
  if (subnet !== undefined) subnets.set(subnetId, { ...subnet, ...change });
}

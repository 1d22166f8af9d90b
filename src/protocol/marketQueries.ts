/** Questions about the market that more than one role asks. */
import type { CaseView, MarketView, RoundView, TaskState, TaskView } from './market.js';
import type { Address, Hex32 } from './task.js';

export function isTerminal(state: TaskState): boolean {
  return !['open', 'assigned', 'submitted', 'disputed'].includes(state);
}

/** One round of a job. Anyone can post a batch in a job's name, so a task counts only with the round's own spec and base. */
export interface RoundRef {
  jobId: Hex32;
  round: number;
  specHash: Hex32;
  baseRoot: Hex32;
  slotsPerRound: number;
}

/** The round's tasks in slot order, oldest posting first. */
export function tasksOfRound(view: MarketView, at: RoundRef): TaskView[] {
  const isOfRound = (task: TaskView) =>
    task.specHash === at.specHash &&
    task.jobId === at.jobId &&
    task.round === at.round &&
    task.baseRoot === at.baseRoot;
  return [...view.tasks.values()].filter(isOfRound).sort((a, b) => a.slot - b.slot);
}

/** Slots of the round that are neither accepted nor on their way: the buyer posts them (again). */
export function slotsToPost(view: MarketView, at: RoundRef): number[] {
  const covered = new Set<number>();
  for (const task of tasksOfRound(view, at)) {
    if (task.state === 'accepted' || !isTerminal(task.state)) covered.add(task.slot);
  }
  return slotsOf(at).filter((slot) => !covered.has(slot));
}

/** Whether every slot of the round has an accepted task. */
export function isRoundAccepted(view: MarketView, at: RoundRef): boolean {
  const accepted = tasksOfRound(view, at).filter((task) => task.state === 'accepted');
  const slots = new Set(accepted.map((task) => task.slot));
  return slotsOf(at).every((slot) => slots.has(slot));
}

function slotsOf({ slotsPerRound }: RoundRef): number[] {
  return Array.from({ length: slotsPerRound }, (_, slot) => slot);
}

export function currentRound(kase: CaseView): RoundView | undefined {
  return kase.rounds.at(-1);
}

/** The disputes of a task, oldest first. */
export function casesOf(view: MarketView, taskId: Hex32): CaseView[] {
  return [...view.cases.values()].filter((kase) => kase.taskId === taskId);
}

/** Accounts that held solver seats before `block` and can still be drawn, sorted.
 *  The block makes everyone who asks about one submission count the same accounts, whoever joined since. */
export function solversBefore(view: MarketView, subnetId: number, block: number): Address[] {
  return [...view.positions.values()]
    .filter((p) => p.subnetId === subnetId && p.role === 'solver')
    .filter((p) => p.seats > 0 && !p.jailed && p.stakedBlock < block)
    .map((p) => p.account)
    .sort();
}

/** Questions about the market that more than one role asks. */
import type { CaseView, MarketView, RoundView, TaskState, TaskView } from './market.js';
import type { Address, Hex32 } from './task.js';

export function isTerminal(state: TaskState): boolean {
  return !['open', 'assigned', 'submitted', 'disputed'].includes(state);
}

/** Tasks of one round of a job, in slot order, oldest posting first. */
export function tasksOfRound(view: MarketView, jobId: Hex32, round: number): TaskView[] {
  const tasks = [...view.tasks.values()].filter((task) => task.jobId === jobId && task.round === round);
  return tasks.sort((a, b) => a.slot - b.slot);
}

/** Slots of the round that are neither accepted nor on their way: the buyer posts them (again). */
export function slotsToPost(view: MarketView, jobId: Hex32, round: number, slotsPerRound: number): number[] {
  const covered = new Set<number>();
  for (const task of tasksOfRound(view, jobId, round)) {
    if (task.state === 'accepted' || !isTerminal(task.state)) covered.add(task.slot);
  }
  return Array.from({ length: slotsPerRound }, (_, slot) => slot).filter((slot) => !covered.has(slot));
}

/** The accepted task of every slot in slot order, or null while a slot is missing. */
export function acceptedRound(
  view: MarketView,
  jobId: Hex32,
  round: number,
  slotsPerRound: number,
): TaskView[] | null {
  const bySlot = new Map<number, TaskView>();
  for (const task of tasksOfRound(view, jobId, round)) {
    if (task.state === 'accepted' && !bySlot.has(task.slot)) bySlot.set(task.slot, task);
  }
  const slots = Array.from({ length: slotsPerRound }, (_, slot) => bySlot.get(slot));
  return slots.every((task) => task !== undefined) ? slots : null;
}

export function currentRound(kase: CaseView): RoundView | undefined {
  return kase.rounds.at(-1);
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

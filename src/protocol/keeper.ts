/** What anyone may do now to keep the market moving. Decides only; roles/keep.ts acts.
 *  source of the conditions: contracts/TaskMarket.sol, Court.sol, RandomnessBeacon.sol */
import type { CaseView, MarketView, RoundView, TaskView } from './market.js';
import { currentRound } from './marketQueries.js';
import type { Hex32 } from './task.js';

export type DueCall =
  | { call: 'fulfil'; epoch: number }
  | { call: 'assignMany'; taskIds: Hex32[] }
  | { call: 'expireMany'; taskIds: Hex32[] }
  | { call: 'finalizeMany'; taskIds: Hex32[] }
  | { call: 'drawSeats'; caseId: Hex32 }
  | { call: 'advance'; caseId: Hex32 }
  | { call: 'closeSeats'; caseId: Hex32; round: number };

/** The newest block: number, and unix seconds. */
export interface Clock {
  block: number;
  now: number;
}

export interface MarketRules {
  /** blocks */
  epochLength: number;
  /** blocks from the start of an epoch to the block that seeds the epoch before it */
  seedDelay: number;
  /** time to draw a solver, and to fill a panel */
  openSeconds: number;
}

/** At most this many tasks in one call, so that it fits any block. */
const mostTasks = 16;

export function epochOf(block: number, rules: Pick<MarketRules, 'epochLength'>): number {
  return Math.floor(block / rules.epochLength);
}

/** The block whose mix seeds `epoch`. */
export function seedBlock(epoch: number, rules: Pick<MarketRules, 'epochLength' | 'seedDelay'>): number {
  return (epoch + 1) * rules.epochLength + rules.seedDelay;
}

/** Calls that are due, in the order in which they must be sent: draws need the seed before them. */
export function dueCalls(view: MarketView, clock: Clock, rules: MarketRules): DueCall[] {
  return [...overdueCalls(view, clock, rules), ...drawCalls(view, clock, rules)];
}

/** A draw in epoch e takes what was asked for before e, and the seed of e - 1. What is sent now lands in the next block. */
function drawCalls(view: MarketView, clock: Clock, rules: MarketRules): DueCall[] {
  const epoch = epochOf(clock.block + 1, rules);
  const isDrawable = (at: { requestBlock: number; openedAt: number }) =>
    epochOf(at.requestBlock, rules) < epoch && clock.now <= at.openedAt + rules.openSeconds;
  const tasks = [...view.tasks.values()].filter((task) => task.state === 'open' && isDrawable(task));
  const cases = openRounds(view).filter(({ round }) => round.phase === 'drawing' && isDrawable(round));
  if (tasks.length + cases.length === 0) return [];
  const calls: DueCall[] = [];
  if (!view.seeds.has(epoch - 1)) {
    if (clock.block < seedBlock(epoch - 1, rules)) return [];
    calls.push({ call: 'fulfil', epoch: epoch - 1 });
  }
  calls.push(...inParts(tasks).map((taskIds) => ({ call: 'assignMany' as const, taskIds })));
  calls.push(...cases.map(({ caseId }) => ({ call: 'drawSeats' as const, caseId })));
  return calls;
}

function overdueCalls(view: MarketView, clock: Clock, rules: MarketRules): DueCall[] {
  const tasks = [...view.tasks.values()];
  const expired = tasks.filter((task) => isPast(expiryOf(task, rules), clock));
  const accepted = tasks.filter((task) => task.state === 'submitted' && isPast(task.challengeBy, clock));
  const stuck = openRounds(view).filter(({ round }) => isPast(roundDeadline(round, rules), clock));
  return [
    ...inParts(accepted).map((taskIds) => ({ call: 'finalizeMany' as const, taskIds })),
    ...inParts(expired).map((taskIds) => ({ call: 'expireMany' as const, taskIds })),
    ...stuck.map(({ caseId }) => ({ call: 'advance' as const, caseId })),
    ...[...view.cases.values()].flatMap(seatsToClose),
  ];
}

/** The last second in which the task can still go on without `expire`; null when that does not apply. */
function expiryOf(task: TaskView, rules: MarketRules): number | null {
  if (task.state === 'open') return task.openedAt + rules.openSeconds;
  return task.state === 'assigned' ? task.solveBy : null;
}

function roundDeadline(round: RoundView, rules: MarketRules): number | null {
  if (round.phase === 'drawing') return round.openedAt + rules.openSeconds;
  if (round.phase === 'commit') return round.commitBy;
  return round.phase === 'reveal' ? round.revealBy : round.appealBy;
}

function seatsToClose(kase: CaseView): DueCall[] {
  if (!kase.settled) return [];
  const open = kase.rounds.filter((round) => round.seats.some((seat) => !seat.closed));
  return open.map(({ round }) => ({ call: 'closeSeats', caseId: kase.caseId, round }));
}

/** The newest round of every case that is not settled. */
function openRounds(view: MarketView): { caseId: Hex32; round: RoundView }[] {
  return [...view.cases.values()].flatMap((kase) => {
    const round = currentRound(kase);
    return kase.settled || round === undefined ? [] : [{ caseId: kase.caseId, round }];
  });
}

function isPast(deadline: number | null, clock: Clock): boolean {
  return deadline !== null && clock.now > deadline;
}

function inParts(tasks: readonly TaskView[]): Hex32[][] {
  const ids = tasks.map((task) => task.taskId);
  return Array.from({ length: Math.ceil(ids.length / mostTasks) }, (_, i) =>
    ids.slice(i * mostTasks, (i + 1) * mostTasks),
  );
}

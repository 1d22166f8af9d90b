/** What anyone may do now to keep the market moving. Decides only; roles/keep.ts acts.
 *  source of the conditions: contracts/TaskMarket.sol, market/TaskBook.sol, Court.sol, RandomnessBeacon.sol */

import { type CheckStanding, hasOpenCheck, rollEpoch, standingOf } from './drawnChecks.js';
import { type EpochRules, epochOf, seedBlock } from './epochs.js';
import { currentRound, hasOpenCase, isTerminal } from './marketQueries.js';
import {
  type CaseView,
  type CheckView,
  type MarketView,
  type PositionView,
  positionKey,
  type RoundView,
  type TaskView,
} from './marketView.js';
import type { SamplingTerms } from './sampling.js';
import type { Hex32 } from './task.js';

export type DueCall =
  | { call: 'fulfil'; epoch: number }
  | SlotsCall
  | { call: 'drawSeats'; caseId: Hex32 }
  | { call: 'advance'; caseId: Hex32 }
  | { call: 'settle'; caseId: Hex32 }
  | { call: 'closeDemand'; taskId: Hex32 }
  | { call: 'publishLeaves'; taskId: Hex32 }
  | { call: 'drawChecker'; taskId: Hex32 }
  | { call: 'closeCheck'; taskId: Hex32 }
  | { call: 'closeSeats'; caseId: Hex32; round: number };

/** Slots of one batch for which the same is due. */
export interface SlotsCall {
  call: 'assignMany' | 'expireMany' | 'finalizeMany';
  batchId: Hex32;
  slots: number[];
}

/** The newest block: number, and unix seconds. */
export interface Clock {
  block: number;
  now: number;
}

export interface MarketRules extends EpochRules {
  /** by the number of the version that a task is pinned to, for all tasks of the view */
  versions: ReadonlyMap<number, VersionRules>;
}

export interface VersionRules extends SamplingTerms {
  /** time to draw a solver */
  openSeconds: number;
  commitSeconds: number;
  revealSeconds: number;
  appealSeconds: number;
  /** time to dispute a result, and to draw who checks it */
  challengeSeconds: number;
  /** time to show leaves that are demanded */
  clockSeconds: number;
}

/** At most this many tasks in one call, so that it fits any block. */
const mostTasks = 16;
/** A contract sees the hashes of so many blocks before its own. */
const provableBlocks = 8_191;

/** The seed that the first seats of the panel were drawn with; undefined before that. */
export function panelSeed(
  view: Pick<MarketView, 'seeds'>,
  round: Pick<RoundView, 'votingBlock'>,
  rules: Pick<MarketRules, 'epochLength'>,
): Hex32 | undefined {
  return round.votingBlock === null ? undefined : view.seeds.get(epochOf(round.votingBlock, rules) - 1);
}

/** Calls that are due, in the order in which they must be sent: draws need the seed before them. */
export function dueCalls(view: MarketView, clock: Clock, rules: MarketRules): DueCall[] {
  const epoch = epochOf(clock.block + 1, rules);
  const draws = drawCalls(view, clock, rules);
  const newest = draws.length === 0 ? [] : [epoch - 1];
  const seeds = new Set(
    [...epochsToRoll(view, clock, rules), ...newest].filter((one) => !view.seeds.has(one)),
  );
  const provable = [...seeds].filter((one) => isProvable(seedBlock(one, rules), clock));
  const canDraw = view.seeds.has(epoch - 1) || provable.includes(epoch - 1);
  return [
    ...overdueCalls(view, clock, rules),
    ...provable.map((one) => ({ call: 'fulfil' as const, epoch: one })),
    ...(canDraw ? draws : []),
  ];
}

/** Those of `due` that can change something, as far as facts tell: a draw of solvers waits while every seat is taken, one of verifiers while
 *  there is none but the solver, and a seed that only such draws would need is not asked for. What facts do not tell (older versions,
 *  part-empty seats, bad luck) is tried. The rest stays due: a seat that comes free makes it useful in the next block. */
export function usefulCalls(
  due: readonly DueCall[],
  view: MarketView,
  clock: Clock,
  rules: MarketRules,
): DueCall[] {
  const seats = seatsToDraw(view);
  const calls = due.filter((call) => canHit(call, view, seats));
  const isDrawn = calls.some(isDraw);
  const rolled = isDrawn ? [] : epochsToRoll(view, clock, rules);
  return calls.filter((call) => call.call !== 'fulfil' || isDrawn || rolled.includes(call.epoch));
}

type DrawCall =
  | Extract<DueCall, { call: 'drawSeats' | 'drawChecker' }>
  | (SlotsCall & { call: 'assignMany' });

function isDraw(call: DueCall): call is DrawCall {
  return call.call === 'assignMany' || call.call === 'drawSeats' || call.call === 'drawChecker';
}

/** Whom a draw may hit. A solver's seat is one bond, so what is free is exact; a verifier's backs several. */
function seatsToDraw({ positions, tasks }: MarketView): PositionView[] {
  const busy = new Map<string, number>();
  for (const { subnetId, solver, state } of tasks.values()) {
    if (solver === null || isTerminal(state)) continue;
    const key = positionKey(subnetId, 'solver', solver);
    busy.set(key, (busy.get(key) ?? 0) + 1);
  }
  return [...positions].flatMap(([key, position]) => {
    const taken = position.role === 'solver' ? (busy.get(key) ?? 0) : 0;
    return position.jailed || position.seats <= taken ? [] : [position];
  });
}

/** The solver of a task is in no panel about it, and does not check it. */
function canHit(call: DueCall, view: MarketView, seats: readonly PositionView[]): boolean {
  if (!isDraw(call)) return true;
  const task = taskOfDraw(call, view);
  const role = call.call === 'assignMany' ? 'solver' : 'verifier';
  return seats.some((one) => {
    const isExcluded = role === 'verifier' && one.account === task?.solver;
    return one.role === role && one.subnetId === task?.subnetId && !isExcluded;
  });
}

function taskOfDraw(call: DrawCall, { tasks, cases }: MarketView): TaskView | undefined {
  if ('batchId' in call) return [...tasks.values()].find(({ batchId }) => batchId === call.batchId);
  return tasks.get('caseId' in call ? (cases.get(call.caseId)?.taskId ?? '0x') : call.taskId);
}

/** A draw in epoch e takes what was asked for before e, and the seed of e - 1. What is sent now lands in the next block. */
function drawCalls(view: MarketView, clock: Clock, rules: MarketRules): DueCall[] {
  const epoch = epochOf(clock.block + 1, rules);
  const isAskedFor = ({ requestBlock }: { requestBlock: number }) => epochOf(requestBlock, rules) < epoch;
  const tasks = [...view.tasks.values()].filter(
    (task) => task.state === 'open' && isAskedFor(task) && !isPast(expiryOf(task, rules), clock),
  );
  const cases = openRounds(view).filter(
    ({ task, round }) =>
      round.phase === 'drawing' &&
      !isTerminal(task.state) &&
      isAskedFor(round) &&
      !isPast(drawBy({ task, round }, rules), clock),
  );
  const checked = checkable(view, clock).filter((task) => standing(view, task, rules) === 'due');
  const replaced = [...view.checks.values()].filter(
    ({ phase, requestBlock, deadline }) =>
      phase === 'drawing' && epochOf(requestBlock, rules) < epoch && !isPast(deadline, clock),
  );
  return [
    ...inBatches('assignMany', tasks),
    ...cases.map(({ caseId }) => ({ call: 'drawSeats' as const, caseId })),
    ...[...checked, ...replaced].map(({ taskId }) => ({ call: 'drawChecker' as const, taskId })),
  ];
}

/** Epochs whose seed decides which submissions are checked. */
function epochsToRoll(view: MarketView, clock: Clock, rules: MarketRules): number[] {
  const undrawn = checkable(view, clock).filter((task) => standing(view, task, rules) === 'undrawn');
  return undrawn.map((task) => rollEpoch(task, rules));
}

function standing(view: MarketView, task: TaskView, rules: MarketRules): CheckStanding {
  const { epochLength } = rules;
  return standingOf(view, task, { epochLength, sampling: versionOf(task, rules) });
}

/** What a task was posted under holds for it, whatever came after.  throws Error for a version that was not read */
export function versionOf({ taskId, paramsVersion }: TaskView, { versions }: MarketRules): VersionRules {
  const version = versions.get(paramsVersion);
  if (version === undefined) throw new Error(`version ${paramsVersion} of task ${taskId} was not read`);
  return version;
}

/** A case that its disputer means to lose must not keep a checker away. */
function checkable(view: MarketView, clock: Clock): TaskView[] {
  return [...view.tasks.values()].filter(
    ({ state, challengeBy }) =>
      (state === 'submitted' || state === 'disputed') && !isPast(challengeBy, clock),
  );
}

/** Whether the contract can ask for the hash of the block in the next one. source: EIP-2935 */
function isProvable(block: number, clock: Clock): boolean {
  return clock.block >= block && clock.block + 1 - block <= provableBlocks;
}

function checksToClose(view: MarketView, clock: Clock): DueCall[] {
  const stuck = [...view.checks.values()].filter((check) => isStuck(view, check, clock));
  return stuck.map(({ taskId }) => ({ call: 'closeCheck', taskId }));
}

/** The task has ended, or nobody can make the next move any more. Where that would cost somebody a seat, cases come first. */
function isStuck(view: MarketView, { taskId, phase, deadline }: CheckView, clock: Clock): boolean {
  const task = view.tasks.get(taskId);
  if (phase === 'over' || task === undefined) return false;
  if (isTerminal(task.state)) return true;
  if (!isPast(phase === 'dispute' ? task.challengeBy : deadline, clock)) return false;
  const convicts = phase === 'dispute' || phase === 'answer';
  return !convicts || (!hasOpenCase(view, taskId) && !isOpen(task.demand));
}

function overdueCalls(view: MarketView, clock: Clock, rules: MarketRules): DueCall[] {
  const tasks = [...view.tasks.values()];
  const expired = tasks.filter((task) => isPast(expiryOf(task, rules), clock));
  const final = tasks.filter((task) => isWaiting(task) && isPast(task.challengeBy, clock));
  const cases = openRounds(view);
  const ended = cases.filter(({ task, round }) => isTerminal(task.state) || isFinal(round, clock));
  const stuck = cases.filter(
    (one) => !ended.includes(one) && (allOpened(one.round) || isPast(deadlineOf(one, rules), clock)),
  );
  return [
    ...inBatches(
      'finalizeMany',
      final.filter(
        ({ taskId, demand }) => !hasOpenCase(view, taskId) && !isOpen(demand) && !hasOpenCheck(view, taskId),
      ),
    ),
    ...demandsToClose(view, clock),
    ...checksToClose(view, clock),
    ...inBatches('expireMany', expired),
    ...stuck.map(({ caseId }) => ({ call: 'advance' as const, caseId })),
    ...ended.map(({ caseId }) => ({ call: 'settle' as const, caseId })),
    ...[...view.cases.values()].flatMap(seatsToClose),
  ];
}

function isOpen(demand: TaskView['demand']): demand is NonNullable<TaskView['demand']> {
  return demand !== null && !demand.closed;
}

/** Unanswered, which convicts the solver once no case is open; or of a task that has ended. */
function demandsToClose(view: MarketView, clock: Clock): DueCall[] {
  const due = [...view.tasks.values()].filter(({ taskId, demand, state }) => {
    if (!isOpen(demand)) return false;
    return isTerminal(state) || (isPast(demand.answerBy, clock) && !hasOpenCase(view, taskId));
  });
  return due.map(({ taskId }) => ({ call: 'closeDemand', taskId }));
}

/** Demands of which half the time is gone: their solver may be, too, and whoever can get its leaves can show them. Not among
 *  `dueCalls`: whether somebody has them the chain does not know. */
export function demandsLeftOpen(view: MarketView, { now }: Clock): DueCall[] {
  const left = [...view.tasks.values()].filter(({ demand, state }) => {
    if (!isOpen(demand) || isTerminal(state)) return false;
    return 2 * now >= demand.demandedAt + demand.answerBy && now <= demand.answerBy;
  });
  return left.map(({ taskId }) => ({ call: 'publishLeaves', taskId }));
}

function isWaiting({ state }: TaskView): boolean {
  return state === 'submitted' || state === 'undecided';
}

/** Whoever committed has opened its vote, and nobody else can vote any more. */
function allOpened({ phase, seats }: RoundView): boolean {
  return phase === 'reveal' && seats.every(({ committed, verdict }) => !committed || verdict !== null);
}

/** Nobody can appeal: the time has passed, or there is none. */
function isFinal(round: RoundView, clock: Clock): boolean {
  return round.phase === 'ruled' && isPast(round.appealBy, clock);
}

/** The last second in which the task can still go on without `expire`; null when that does not apply. */
function expiryOf(task: TaskView, rules: MarketRules): number | null {
  if (task.state === 'open') return task.openedAt + versionOf(task, rules).openSeconds;
  return task.state === 'assigned' ? task.solveBy : null;
}

/** The last second in which a panel can be filled. The first of a case waits until two others could sit and rule, so that a lock on
 *  all verifiers has to be bought again and again; appeals and replacements do not, or they would be such a lock themselves.
 *  source: contracts/court/CasePanels.sol, LOCKS_OUTLASTED */
function drawBy({ task, round }: Omit<OpenRound, 'caseId'>, rules: MarketRules): number {
  const { openSeconds, commitSeconds, revealSeconds, appealSeconds } = versionOf(task, rules);
  const isFirst = round.round === 1 && round.votingBlock === null;
  const locks = isFirst ? 2 * (commitSeconds + revealSeconds + appealSeconds) : 0;
  return round.openedAt + openSeconds + locks;
}

function deadlineOf({ task, round }: OpenRound, rules: MarketRules): number | null {
  if (round.phase === 'drawing') return drawBy({ task, round }, rules);
  if (round.phase === 'ruled') return null;
  return round.phase === 'commit' ? round.commitBy : round.revealBy;
}

function seatsToClose(kase: CaseView): DueCall[] {
  if (!kase.settled) return [];
  const open = kase.rounds.filter((round) => round.seats.some((seat) => !seat.closed));
  return open.map(({ round }) => ({ call: 'closeSeats', caseId: kase.caseId, round }));
}

interface OpenRound {
  caseId: Hex32;
  task: TaskView;
  round: RoundView;
}

/** The newest round of every case that is not settled. Where the task has ended, what is left of the case is moot. */
function openRounds(view: MarketView): OpenRound[] {
  return [...view.cases.values()].flatMap((kase) => {
    const [round, task] = [currentRound(kase), view.tasks.get(kase.taskId)];
    return kase.settled || !round || !task ? [] : [{ caseId: kase.caseId, task, round }];
  });
}

function isPast(deadline: number | null, clock: Clock): boolean {
  return deadline !== null && clock.now > deadline;
}

function inBatches(call: SlotsCall['call'], tasks: readonly TaskView[]): SlotsCall[] {
  const batches = new Map<Hex32, number[]>();
  for (const { batchId, slot } of tasks) batches.set(batchId, [...(batches.get(batchId) ?? []), slot]);
  return [...batches].flatMap(([batchId, slots]) =>
    Array.from({ length: Math.ceil(slots.length / mostTasks) }, (_, i) => ({
      ...{ call, batchId, slots: slots.slice(i * mostTasks, (i + 1) * mostTasks) },
    })),
  );
}

/** What an account still has to do for what it has at stake: leaving before costs it something, or may. Pure questions about the market. */
import type { Head } from '../chain/follow.js';
import { plural } from '../events/plural.js';
import { hasOpenCheck } from '../protocol/drawnChecks.js';
import { casesOf, currentRound, isTerminal } from '../protocol/marketQueries.js';
import type { CaseView, CheckView, MarketView, TaskView } from '../protocol/marketView.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { openSeats } from './agenda.js';

/** solution: drawn to solve, not submitted.  result: submitted, and can still be disputed, asked about or demanded.
 *  vote: a seat in a panel.  check: drawn to look at a submission.  pin: a dispute of our own that is committed to, not yet
 *  opened.  case: one that is, whose rulings can be appealed */
export type Duty = 'solution' | 'result' | 'vote' | 'check' | 'pin' | 'case';

export interface Owed {
  duty: Duty;
  /** the same for as long as it is the same duty: a solution becomes a result, a pin a case */
  key: string;
  /** null of a pin: its task is not on chain yet */
  taskId: Hex32 | null;
  /** unix seconds of the chain: the end of the phase that it is in, and not before now */
  until: number;
  /** of a check or a vote: what is committed to has only to be opened */
  committed: boolean;
  /** of a pin: lost where it is not made */
  bond?: bigint;
}

/** A commitment does not say which case it becomes. */
const disputesKey = 'disputes of our own';

/** Everything that `self` owes at this block, the most pressing first. */
export function owedBy(view: MarketView, head: Head, self: Address): Owed[] {
  const owed = [
    ...[...view.tasks.values()].flatMap((task) => ofSolver(view, task, head, self)),
    ...openSeats(view, head, self).map(({ caseId, round, seat, committed, deadline }): Owed => {
      const taskId = view.cases.get(caseId)?.taskId ?? caseId;
      return { duty: 'vote', key: `vote ${caseId} ${round} ${seat}`, taskId, until: deadline, committed };
    }),
    ...[...view.checks.values()].flatMap((check) => ofChecker(view, check, self)),
    ...pinsOf(view, head, self),
    ...[...view.cases.values()].flatMap((kase) => ofDisputer(view, kase, self)),
  ];
  return owed
    .map((one) => ({ ...one, until: Math.max(one.until, head.timestamp) }))
    .sort((a, b) => a.until - b.until);
}

function ofSolver(view: MarketView, task: TaskView, head: Head, self: Address): Owed[] {
  const { taskId, attempt, state, solver } = task;
  if (solver !== self || isTerminal(state)) return [];
  const owed = { key: `task ${taskId} ${attempt}`, taskId, committed: false };
  if (state === 'assigned') {
    const until = task.solveBy ?? 0;
    return head.timestamp > until ? [] : [{ ...owed, duty: 'solution', until }];
  }
  const until = answerableUntil(view, task);
  const isHeld = hasOpenCheck(view, taskId) || casesOf(view, taskId).some(({ settled }) => !settled);
  return head.timestamp > until && !isHeld ? [] : [{ ...owed, duty: 'result', until }];
}

/** The last second in which somebody can ask something new of the solver, or waits for its answer. */
function answerableUntil(view: MarketView, { taskId, challengeBy, demand }: TaskView): number {
  const check = view.checks.get(taskId);
  const open = [
    challengeBy ?? 0,
    demand === null || demand.closed ? 0 : demand.answerBy,
    check === undefined || check.phase === 'over' ? 0 : check.deadline,
    ...casesOf(view, taskId).map(phaseEnd),
  ];
  return Math.max(...open);
}

function ofChecker(view: MarketView, check: CheckView, self: Address): Owed[] {
  const { taskId, attempt, phase, checker } = check;
  const task = view.tasks.get(taskId);
  if (checker !== self || task === undefined || isTerminal(task.state)) return [];
  if (phase === 'over' || phase === 'drawing') return [];
  const until = phase === 'dispute' ? (task.challengeBy ?? 0) : check.deadline;
  return [{ duty: 'check', key: `check ${taskId} ${attempt}`, taskId, until, committed: phase !== 'commit' }];
}

/** Of which tasks they are is not on chain: until the last window closes that was open when they were made. */
function pinsOf(view: MarketView, head: Head, self: Address): Owed[] {
  return [...view.commitments.values()].flatMap(({ disputer, bond, block }): Owed[] => {
    if (disputer !== self) return [];
    const windows = [...view.tasks.values()]
      .filter(({ state, solver }) => (state === 'submitted' || state === 'disputed') && solver !== self)
      .filter(({ submittedBlock }) => submittedBlock !== null && submittedBlock <= block);
    const until = Math.max(0, ...windows.map(({ challengeBy }) => challengeBy ?? 0));
    if (head.timestamp > until) return [];
    return [{ duty: 'pin', key: disputesKey, taskId: null, until, committed: true, bond }];
  });
}

function ofDisputer(view: MarketView, kase: CaseView, self: Address): Owed[] {
  const { taskId, disputer, settled } = kase;
  const task = view.tasks.get(taskId);
  if (disputer !== self || settled || task === undefined || isTerminal(task.state)) return [];
  return [{ duty: 'case', key: disputesKey, taskId, until: phaseEnd(kase), committed: true }];
}

function phaseEnd(kase: CaseView): number {
  const round = currentRound(kase);
  if (kase.settled || round === undefined) return 0;
  const ends = { drawing: null, commit: round.commitBy, reveal: round.revealBy, ruled: round.appealBy };
  return ends[round.phase] ?? 0;
}

/** What leaving at once costs for certain, and what it costs if somebody asks. */
export interface Risk {
  certain: bigint;
  possible: bigint;
}

/** Of the parameters, in token units; livenessBps: of the stake, for a task that is not solved. */
export interface RiskTerms {
  solverStake: bigint;
  seatBond: bigint;
  livenessBps: number;
}

export function riskOf(owed: readonly Owed[], { solverStake, seatBond, livenessBps }: RiskTerms): Risk {
  const sum = (duties: readonly Duty[], each: bigint) =>
    each * BigInt(owed.filter(({ duty }) => duties.includes(duty)).length);
  const bonds = owed.reduce((all, { bond = 0n }) => all + bond, 0n);
  const solutions = sum(['solution'], (solverStake * BigInt(livenessBps)) / 10_000n);
  return {
    certain: sum(['vote', 'check'], seatBond) + solutions + bonds,
    possible: sum(['result'], solverStake),
  };
}

/** `2 results in their window until 12:04:10; the check of task 0xab12cd34 to be opened by 12:01:05`.
 *  clock: unix seconds -> text */
export function sentenceOf(owed: readonly Owed[], clock: (seconds: number) => string): string {
  const results = owed.filter(({ duty }) => duty === 'result');
  const last = results.at(-1);
  const rest = owed.filter(({ duty }) => duty !== 'result');
  return [
    ...rest.map((one) => `${nameOf(one)} by ${clock(one.until)}`),
    ...(last === undefined
      ? []
      : [`${plural(results.length, 'result')} in the window until ${clock(last.until)}`]),
  ].join('; ');
}

function nameOf({ duty, taskId, committed }: Owed): string {
  if (taskId === null) return 'a dispute to be opened';
  const task = `task ${taskId.slice(0, 10)}`;
  const act = committed ? 'to be opened' : 'to be made';
  if (duty === 'solution') return `${task} to be solved`;
  if (duty === 'case') return `the case about ${task} to be followed, next`;
  return `the ${duty === 'vote' ? 'vote' : 'check'} on ${task} ${act}`;
}

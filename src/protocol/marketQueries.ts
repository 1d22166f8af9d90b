/** Questions about the market that more than one role asks. */
import type { Verdict } from './facts.js';
import type { CaseView, MarketView, RoundView, SeatView, TaskState, TaskView } from './marketView.js';
import type { Address, Hex32 } from './task.js';
import type { Terms } from './terms.js';

export function isTerminal(state: TaskState): boolean {
  return !['open', 'assigned', 'submitted', 'disputed', 'undecided'].includes(state);
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

/** throws Error for a task that is not in the view */
export function taskOf(view: MarketView, taskId: Hex32): TaskView {
  const task = view.tasks.get(taskId);
  if (task === undefined) throw new Error(`no task ${taskId}`);
  return task;
}

/** The same for as long as what was submitted is the same. */
export function submissionKey({ submission }: TaskView): string {
  return submission === null
    ? ''
    : [submission.traceRoot, submission.resultRoot, submission.leavesBlob].join();
}

/** throws Error for a batch that is not in the view */
export function termsOf(view: MarketView, batchId: Hex32): Terms {
  const task = [...view.tasks.values()].find((one) => one.batchId === batchId);
  if (task === undefined) throw new Error(`no batch ${batchId}`);
  return task.terms;
}

/** The disputes of a task, oldest first. */
export function casesOf(view: MarketView, taskId: Hex32): CaseView[] {
  return [...view.cases.values()].filter((kase) => kase.taskId === taskId);
}

export function hasOpenCase({ cases }: Pick<MarketView, 'cases'>, taskId: Hex32): boolean {
  return [...cases.values()].some((kase) => kase.taskId === taskId && !kase.settled);
}

/** The case in which a panel is asked about this transition, whoever opened it; undefined while there is none, and after one that
 *  ended without a verdict. */
export function caseAbout(view: MarketView, taskId: Hex32, step: number): CaseView | undefined {
  return casesOf(view, taskId).find((kase) => kase.step === step && kase.verdict !== 'none');
}

/** Whether a panel came to nothing that a case could end with: no time to appeal was given, or no other panel ruled either. A tie
 *  waits for an appeal, and is judged by the final ruling.  final: of the case */
export function isVoid(
  { ruling, appealBy }: { ruling: Verdict | 'none' | null; appealBy: number | null },
  final: Verdict | 'none' | null,
): boolean {
  return final === 'none' || (ruling === 'none' && appealBy === 0);
}

/** Whether a seat of this panel voted as the case ended. A vote for valid also needs the answer of the majority of them, where one
 *  has it; the court compares the first 8 bytes. */
export function isRight(
  round: RoundView,
  { verdict, answer }: SeatView,
  final: CaseView['verdict'],
): boolean {
  if (verdict === null || verdict !== final) return false;
  const common = verdict === 'valid' ? commonAnswer(round) : undefined;
  return common === undefined || headOf(answer) === common;
}

/** Of more than half of the votes for valid. */
function commonAnswer({ seats }: RoundView): string | undefined {
  const answers = seats.flatMap(({ verdict, answer }) => (verdict === 'valid' ? [headOf(answer)] : []));
  return answers.find((one) => 2 * answers.filter((other) => other === one).length > answers.length);
}

function headOf(answer: Hex32 | null): string {
  return (answer ?? '').slice(0, 2 + 2 * 8);
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

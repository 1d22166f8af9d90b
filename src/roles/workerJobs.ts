/** What a worker owes: solutions, traces, checks, answers and votes. */
import type { Head } from '../chain/follow.js';
import { checkedSteps, openingsOf } from '../protocol/check.js';
import type { CaseView, MarketView, TaskView } from '../protocol/marketView.js';
import type { Submission } from '../protocol/task.js';
import { canSolve, openSeats } from './agenda.js';
import { checksToAnswer, openAnswers, type QuestionItem } from './answers.js';
import { checksToMake } from './checks.js';
import { whenNodeAnswers, whileDisplaced, whileWanted } from './job.js';
import type { Done } from './lane.js';
import { isDemanded, ownLeaves, showLeaves } from './leaves.js';
import { jobOf, type Worker } from './workerState.js';

export async function solve(worker: Worker, task: TaskView): Promise<Done> {
  const { context, self, solutions, hard } = worker;
  const { market, contracts } = context;
  const { taskId } = task;
  const isOurs = (view: MarketView, head: Head) => canSolve(view.tasks.get(taskId), head, self);
  const known = solutions.get(taskId);
  if (known !== undefined) {
    const message = `The submission of task ${taskId} is not on chain any more, and the task still ours: it is submitted again.`;
    context.emit({ type: 'alert', level: 'warn', message, code: 'solution.shown_again' });
  }
  const submission =
    known ?? (await whileWanted(market, isOurs, hard, (signal) => compute(worker, task, signal)));
  if (submission === null) return 'over';
  solutions.set(taskId, submission);
  const args = [task.terms, task.slot, submission] as const;
  const submit = () => whenNodeAnswers(market, hard, () => contracts.market.write('submit', args, hard));
  const receipt = await whileDisplaced(market, isOurs, hard, submit);
  if (known === undefined) worker.report.solved += 1;
  await market.caughtUp(receipt.blockNumber, hard);
  return 'shown';
}

async function compute(worker: Worker, task: TaskView, signal: AbortSignal): Promise<Submission | null> {
  const { context, behaviour, permission } = worker;
  await permission.awaited(task.taskId, signal);
  const job = jobOf(worker, task, 'solve', signal);
  const sot = permission.patient(context.sot, signal);
  return behaviour.solve({ ...job, context: { ...context, sot } });
}

export async function show(worker: Worker, task: TaskView): Promise<Done> {
  const { context, hard } = worker;
  const { taskId } = task;
  const leaves = await whileWanted(
    context.market,
    (view, head) => isDemanded(view.tasks.get(taskId), head),
    hard,
    (signal) => ownLeaves(jobOf(worker, task, 'verify', signal)),
  );
  if (leaves !== null) {
    await whenNodeAnswers(context.market, hard, () => showLeaves(context, task, leaves, hard));
    return 'shown';
  }
  const message = `The trace of task ${taskId} is demanded, and our computation does not give it.`;
  context.emit({ type: 'alert', level: 'error', message, code: 'leaves.wrong' });
  return 'over';
}

export async function look(worker: Worker, task: TaskView, steps: readonly number[], until: number) {
  const { context, self, behaviour, hard } = worker;
  const { taskId, round, slot } = task;
  const isOurs = (view: MarketView, head: Head) =>
    checksToMake(view, head, self).some(
      ({ check }) => check.taskId === taskId && (check.phase !== 'commit' || head.timestamp < until),
    );
  context.emit({ type: 'audit.started', taskId, round, slot });
  const finding = await whileWanted(context.market, isOurs, hard, (signal) =>
    behaviour.check(jobOf(worker, task, 'audit', signal), steps),
  );
  if (finding === null) return null;
  const { firstWrongStep, steps: made, computeSeconds } = finding;
  context.emit({ type: 'check.computed', taskId, firstWrongStep, steps: made, computeSeconds });
  return finding;
}

export async function answer(worker: Worker, { task, check }: QuestionItem): Promise<Done> {
  const { context, self, behaviour, rules, hard } = worker;
  const { market } = context;
  const isAsked = (view: MarketView, head: Head) =>
    checksToAnswer(view, head, self).some((one) => one.task.taskId === task.taskId);
  const made = await whileWanted(market, isAsked, hard, (signal) =>
    behaviour.answer(jobOf(worker, task, 'verify', signal)),
  );
  if (made === null) return 'over';
  const openings = openingsOf(
    context.compute.opset,
    checkedSteps(await rules.paramsOf(task.terms.paramsVersion), check, task.terms.innerSteps),
    made,
  );
  await whenNodeAnswers(market, hard, () => openAnswers(context, task, openings, hard));
  return 'shown';
}

export async function judge(worker: Worker, task: TaskView, kase: CaseView) {
  const { context, self, behaviour, hard } = worker;
  const isSeated = (view: MarketView) =>
    openSeats(view, context.market.head, self).some((seat) => seat.caseId === kase.caseId);
  return whileWanted(context.market, isSeated, hard, (signal) =>
    behaviour.judge(jobOf(worker, task, 'verify', signal), kase),
  );
}

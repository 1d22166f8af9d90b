/** Answers whoever demands our trace on chain: silence would cost the seat. */
import type { Head } from '../chain/follow.js';
import { isRefusal } from '../chain/revert.js';
import { casesOf } from '../protocol/marketQueries.js';
import type { MarketView, TaskView } from '../protocol/marketView.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { traceRoot } from '../protocol/trace.js';
import { stepsOf } from './checker.js';
import type { WorkerContext } from './context.js';
import { fetchLeaves } from './inputs.js';
import type { Job } from './job.js';
import { recall } from './memory.js';
import { requireSubmission } from './publish.js';

/** Tasks whose leaves somebody could not get: own ones, and those that we dispute, or an accomplice of the solver could have it
 *  convicted for its silence and take the bounty. */
export function demandsToAnswer(view: MarketView, head: Head, self: Address): TaskView[] {
  const isOurs = ({ taskId, solver }: TaskView) =>
    solver === self || casesOf(view, taskId).some(({ disputer, settled }) => disputer === self && !settled);
  return [...view.tasks.values()].filter((task) => isDemanded(task, head) && isOurs(task));
}

/** Whether an answer would still be taken. */
export function isDemanded(task: TaskView | undefined, head: Head): boolean {
  const demand = task?.demand;
  return demand != null && !demand.closed && head.timestamp <= demand.answerBy;
}

/** S_0 .. S_H as they were committed: those that were kept, those the Source of Truth has, or, when both are lost, those of the same
 *  computation again. Null when that gives another trace: then there is nothing to show.
 *  throws the job's signal, network/sot.unreachable, notFound and check errors of spec and base */
export async function ownLeaves(job: Job): Promise<readonly Hex32[] | null> {
  const { context, task, signal } = job;
  const { innerSteps } = task.terms;
  const submission = requireSubmission(job);
  const kept = (await recall(context.memory, task.taskId))?.leaves;
  const known =
    kept?.length === innerSteps + 1 ? kept : await fetchLeaves(context.sot, submission, innerSteps, signal);
  const leaves = known ?? (await computeAgain(job));
  return traceRoot(leaves) === submission.traceRoot ? leaves : null;
}

async function computeAgain(job: Job): Promise<readonly Hex32[]> {
  const { context, task } = job;
  const message = `The trace of task ${task.taskId} is demanded and nobody has it: the task is computed again.`;
  context.emit({ type: 'alert', level: 'warn', message, code: 'leaves.lost' });
  const { made } = await stepsOf(job, task.terms.innerSteps);
  return made.leaves;
}

/** Shows them to everybody, and earns the fee of whoever demanded them. */
export async function showLeaves(
  { contracts, market }: Pick<WorkerContext, 'contracts' | 'market'>,
  task: TaskView,
  leaves: readonly Hex32[],
  signal: AbortSignal,
): Promise<void> {
  try {
    const args = [task.terms, task.slot, requireSubmission({ task }), leaves] as const;
    const { blockNumber } = await contracts.challenge.write('publishLeaves', args, signal);
    await market.caughtUp(blockNumber, signal);
  } catch (error) {
    // Anybody may answer, and somebody did.
    if (!isRefusal(error, 'NoDemand')) throw error;
  }
}

/** What a solver says when somebody was drawn to ask about steps of its own result. */
import type { Head } from '../chain/follow.js';
import type { Made, openingsOf } from '../protocol/check.js';
import type { CheckView, MarketView, TaskView } from '../protocol/marketView.js';
import type { Address } from '../protocol/task.js';
import { stepsOf } from './checker.js';
import type { RoleContext } from './context.js';
import type { Job } from './job.js';
import type { LaneItem } from './lane.js';

/** The whole task as it was submitted; null does not answer. */
export type AnswerSteps = (job: Job) => Promise<Made | null>;

/** As it was kept when the task was solved; computed again where that was lost. */
export async function answerSteps(job: Job): Promise<Made> {
  const { made } = await stepsOf(job, job.task.terms.innerSteps);
  return made;
}

export interface QuestionItem extends LaneItem {
  check: CheckView;
}

/** Checks of our own results whose checker has committed. */
export function checksToAnswer(view: MarketView, head: Head, self: Address): QuestionItem[] {
  return [...view.checks.values()].flatMap((check) => {
    const task = view.tasks.get(check.taskId);
    const isDue = check.phase === 'answer' && head.timestamp <= check.deadline;
    return task?.solver === self && isDue ? [{ task, check, key: `answer ${check.attempt}` }] : [];
  });
}

/** Shows on chain what the leaves behind the steps that the check asks about are made of. */
export async function openAnswers(
  { contracts, market }: Pick<RoleContext, 'contracts' | 'market'>,
  { terms, slot, submission }: TaskView,
  openings: ReturnType<typeof openingsOf>,
  signal: AbortSignal,
): Promise<void> {
  if (submission === null) throw new Error('a check asks about a submission');
  const args = [terms, slot, submission, openings] as const;
  const { blockNumber } = await contracts.audit.write('openAnswers', args, signal);
  await market.caughtUp(blockNumber, signal);
}

/** Answers whoever demands our trace on chain: silence would cost the seat. */
import type { Head } from '../chain/follow.js';
import { isRefusal } from '../chain/revert.js';
import type { MarketView, TaskView } from '../protocol/market.js';
import type { Address } from '../protocol/task.js';
import type { WorkerContext } from './context.js';
import { fetchLeaves } from './inputs.js';

/** Own tasks whose leaves somebody could not get. */
export function demandsToAnswer(view: MarketView, head: Head, self: Address): TaskView[] {
  return [...view.tasks.values()].filter(
    ({ solver, demand }) =>
      solver === self && demand !== null && !demand.closed && head.timestamp <= demand.answerBy,
  );
}

/** Shows the leaves as they were published, and earns the fee of whoever demanded them. Without them nothing is sent. */
export async function showLeaves(
  { sot, contracts, market, emit }: Pick<WorkerContext, 'sot' | 'contracts' | 'market' | 'emit'>,
  { taskId, terms, slot, submission }: TaskView,
  signal: AbortSignal,
): Promise<void> {
  const leaves = submission && (await fetchLeaves(sot, submission, terms.innerSteps, signal));
  if (leaves === null) {
    const message = `The trace of task ${taskId} is demanded, and the Source of Truth does not have it.`;
    emit({ type: 'alert', level: 'error', message, code: 'leaves.lost' });
    return;
  }
  try {
    const args = [terms, slot, submission as NonNullable<typeof submission>, leaves] as const;
    const { blockNumber } = await contracts.challenge.write('publishLeaves', args, signal);
    await market.caughtUp(blockNumber, signal);
  } catch (error) {
    // Anybody may answer, and somebody did.
    if (!isRefusal(error, 'NoDemand')) throw error;
  }
}

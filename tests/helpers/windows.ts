/** Windows to dispute are as long as a slow machine needs, and nobody sits them out: the clock of the chain runs ahead. */
import type { MarketFollower } from '../../src/chain/follow.js';
import { isTerminal } from '../../src/protocol/marketQueries.js';
import type { MarketView, TaskView } from '../../src/protocol/marketView.js';
import { skip, type TestChain } from './chain.js';

export interface QuietWindows {
  /** challengeSeconds */
  seconds: number;
  /** the end of the run */
  over: AbortSignal;
  /** asked about a result that nothing else waits for; default: yes */
  isReady?: (task: TaskView, view: MarketView) => boolean;
}

/** Lets every window pass as soon as all tasks are results that are ready, with no check, demand or case on its way. Ends with the
 *  run; what else ends it is an unhandled rejection, which fails the test. */
export function passQuietWindows(
  market: MarketFollower,
  local: TestChain,
  { seconds, over, isReady = () => true }: QuietWindows,
): void {
  const waiting = (view: MarketView) => {
    const alive = [...view.tasks.values()].filter(({ state }) => !isTerminal(state));
    const isWaiting = (task: TaskView) =>
      task.state === 'submitted' &&
      (task.demand?.closed ?? true) &&
      (view.checks.get(task.taskId)?.phase ?? 'over') === 'over' &&
      isReady(task, view);
    const isAll = alive.every(isWaiting) && [...view.cases.values()].every(({ settled }) => settled);
    return isAll && alive.length > 0 ? alive : undefined;
  };
  const passing = async () => {
    while (true) {
      const tasks = await market.waitFor(waiting, local.signal);
      await skip(local, seconds + 1);
      const isOver = ({ taskId }: TaskView) => isTerminal(market.view.tasks.get(taskId)?.state ?? 'open');
      await market.waitFor(() => tasks.every(isOver) || undefined, local.signal);
    }
  };
  passing().catch((error) => {
    if (!over.aborted) throw error;
  });
}

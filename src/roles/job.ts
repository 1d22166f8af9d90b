/** One piece of engine work about one task, and how long it is worth doing. */
import type { Head, MarketFollower } from '../chain/follow.js';
import { isDisplaced } from '../chain/resend.js';
import { isUnreachable } from '../chain/rpcError.js';
import { PanthaliaError } from '../errors.js';
import type { MarketView, TaskView } from '../protocol/marketView.js';
import type { Compute, RoleContext } from './context.js';
import type { Inputs } from './inputs.js';
import type { Turn } from './replay.js';

export interface Job {
  context: Pick<RoleContext, 'sot' | 'emit'> & { compute: Compute; scratch: string; memory: string };
  task: TaskView;
  inputs: Inputs;
  turn: Turn;
  signal: AbortSignal;
}

/** Runs `work` with a signal that also aborts when `isWanted` stops being true on chain: the deadline has passed, the task
 *  was taken back, the case is settled.  throws deadline/job.pointless in that case */
export async function whileWanted<T>(
  market: MarketFollower,
  isWanted: (view: MarketView, head: Head) => boolean,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const stop = new AbortController();
  const watching = market
    .waitFor(
      (view, head) => (isWanted(view, head) ? undefined : true),
      AbortSignal.any([signal, done.signal]),
    )
    .then(
      () => stop.abort(pointless()),
      () => stop.abort(signal.reason),
    );
  try {
    return await work(AbortSignal.any([signal, stop.signal]));
  } catch (error) {
    // Whatever an aborted wait throws, this is why it was aborted.
    if (stop.signal.aborted) throw stop.signal.reason;
    throw error;
  } finally {
    done.abort();
    await watching;
  }
}

/** Does it again as long as the node is away: the next block shows that it is back. */
export async function whenNodeAnswers<T>(
  market: MarketFollower,
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<T> {
  while (true) {
    const block = market.head.number;
    try {
      return await act();
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      await market.waitFor((_, head) => head.number > block || undefined, signal);
    }
  }
}

/** Does it again when another process took its nonce, as long as it is wanted: what it sends was made once and is still good. */
export async function whileDisplaced<T>(
  market: MarketFollower,
  isWanted: (view: MarketView, head: Head) => boolean,
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<T> {
  while (true) {
    try {
      return await act();
    } catch (error) {
      if (!isDisplaced(error)) throw error;
      const block = market.head.number;
      // It may be in a block after all.
      await market.waitFor((_, head) => head.number > block || undefined, signal);
      if (!isWanted(market.view, market.head)) throw error;
    }
  }
}

/** True for work that ended because nobody waits for it any more. */
export function isPointless(error: unknown): boolean {
  return error instanceof PanthaliaError && error.code === 'job.pointless';
}

function pointless(): PanthaliaError {
  return new PanthaliaError('deadline', 'The chain went on without this work.', { code: 'job.pointless' });
}

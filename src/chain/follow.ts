/** The market, kept up to date: roles ask the view and wait for it to change. */

import { applyFacts } from '../protocol/market.js';
import { emptyMarket, type MarketView } from '../protocol/marketView.js';
import { latestBlock } from './client.js';
import type { Deployment } from './deployment.js';
import { longestReorgBlocks, type WatchOptions, watchBlocks } from './watch.js';

/** The newest block whose facts are in the view. timestamp: unix seconds */
export interface Head {
  number: number;
  timestamp: number;
}

export interface MarketFollower {
  readonly view: MarketView;
  readonly head: Head;
  /** The first answer that is not undefined, asked now and after every block.
   *  throws the signal's reason, or whatever ended the watch */
  waitFor<T>(ask: (view: MarketView, head: Head) => T | undefined, signal: AbortSignal): Promise<T>;
  /** The view once it contains `block`, for example that of an own transaction. */
  caughtUp(block: number, signal: AbortSignal): Promise<MarketView>;
}

/** Reads the market's history and follows it until the signal. Resolves when the history has been read. */
export async function followMarket(
  options: WatchOptions & { deployment: Pick<Deployment, 'subnetId'> },
): Promise<MarketFollower> {
  const now = await latestBlock(options.chain);
  const follower = new Follower(options.deployment.subnetId);
  void follower.run(options);
  await follower.caughtUp(now.number, options.signal);
  return follower;
}

interface Waiter {
  check(): void;
  fail(reason: unknown): void;
}

class Follower implements MarketFollower {
  view: MarketView;
  head: Head = { number: -1, timestamp: 0 };
  /** after each of the last blocks; where nothing happened they share one view */
  readonly #past: { block: number; view: MarketView }[] = [];
  readonly #waiters = new Set<Waiter>();
  #ended: { reason: unknown } | null = null;

  constructor(subnetId: number) {
    this.view = emptyMarket(subnetId);
  }

  /** Never rejects: what ends the watch goes to those who wait. */
  async run(options: WatchOptions): Promise<void> {
    let reason: unknown = options.signal.reason;
    try {
      for await (const { block, timestamp, facts, replacesFrom } of watchBlocks(options)) {
        if (replacesFrom !== null) this.#goBackBefore(replacesFrom);
        this.view = applyFacts(this.view, facts);
        this.#past.push({ block, view: this.view });
        if (this.#past.length > longestReorgBlocks + 1) this.#past.shift();
        this.head = { number: block, timestamp };
        for (const waiter of [...this.#waiters]) waiter.check();
      }
      reason = options.signal.reason;
    } catch (error) {
      reason = error;
    }
    this.#ended = { reason };
    for (const waiter of [...this.#waiters]) waiter.fail(reason);
  }

  /** What happened in blocks that are no more never happened. */
  #goBackBefore(block: number): void {
    while ((this.#past.at(-1)?.block ?? -1) >= block) this.#past.pop();
    this.view = this.#past.at(-1)?.view ?? emptyMarket(this.view.subnetId);
  }

  waitFor<T>(ask: (view: MarketView, head: Head) => T | undefined, signal: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = (finish: () => void) => {
        this.#waiters.delete(waiter);
        signal.removeEventListener('abort', onAbort);
        finish();
      };
      const onAbort = () => settle(() => reject(signal.reason));
      const waiter: Waiter = {
        check: () => {
          try {
            const answer = ask(this.view, this.head);
            if (answer !== undefined) settle(() => resolve(answer));
          } catch (error) {
            settle(() => reject(error));
          }
        },
        fail: (reason) => settle(() => reject(reason)),
      };
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
      waiter.check();
      if (this.#ended !== null) waiter.fail(this.#ended.reason);
    });
  }

  caughtUp(block: number, signal: AbortSignal): Promise<MarketView> {
    return this.waitFor((view, head) => (head.number >= block ? view : undefined), signal);
  }
}

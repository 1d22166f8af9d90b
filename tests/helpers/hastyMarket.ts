/** For questions about time that nothing on chain has to answer. */
import type { MarketFollower } from '../../src/chain/follow.js';
import type { History } from './facts.js';

/** A market whose blocks come as soon as somebody waits for one. */
export function hastyMarket(history: History): MarketFollower {
  return {
    get view() {
      return history.view;
    },
    get head() {
      return history.head;
    },
    async waitFor(ask, signal) {
      while (true) {
        signal.throwIfAborted();
        const answer = ask(history.view, history.head);
        if (answer !== undefined) return answer;
        history.pass(1);
        await new Promise(setImmediate);
      }
    },
    caughtUp: async () => history.view,
  };
}

/** A clock for a run in one process. An epoch of a test chain is 0.4 s, and a draw needs its seed in the same one: where the machine is
 *  slower than that, blocks that come by the clock leave every draw behind, for ever. Here the next block waits for everybody. */
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import type { JsonRpcProvider } from 'ethers';
import { latestBlock } from '../../src/chain/client.js';
import type { MarketFollower } from '../../src/chain/follow.js';
import { type TestChain, testBlockSeconds } from './chain.js';

/** What is asked again and again while nothing happens. */
const polls: ReadonlySet<string> = new Set(['eth_getTransactionReceipt', 'eth_getBlockByNumber']);
/** Whoever asks without end does not stop the clock. */
const mostPasses = 50;

/** What the node is being asked by those who take part. */
export class Questions {
  readonly #open = new Set<Promise<unknown>>();
  #asked = 0;

  /** From now on what it asks counts. */
  add(provider: JsonRpcProvider): void {
    const send = provider.send.bind(provider);
    provider.send = (method, params) => {
      if (!polls.has(method)) this.#asked++;
      const answer = send(method, params);
      const over = answer.then(
        () => {},
        () => {},
      );
      this.#open.add(over);
      void over.then(() => this.#open.delete(over));
      return answer;
    };
  }

  /** Nobody asks anything any more that is not a poll. */
  async ended(): Promise<void> {
    for (let pass = 0; pass < mostPasses; pass++) {
      const before = this.#asked;
      await Promise.all(this.#open);
      await setImmediate();
      if (this.#asked === before) return;
    }
  }
}

/** What a test does to the chain itself, between two blocks. */
export class Interruptions {
  readonly #waiting: (() => Promise<void>)[] = [];

  /** Settles with `work`, which is done when nobody waits for the last block any more. */
  add(work: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => work().then(resolve, reject));
    });
  }

  async take(): Promise<void> {
    for (const work of this.#waiting.splice(0)) await work();
  }
}

export interface Together {
  markets: readonly MarketFollower[];
  questions: Questions;
  interruptions: Interruptions;
}

/** Mines until `over`, every `testBlockSeconds`, or later: when all have seen the last block and have asked and sent what follows from it. */
export async function mineTogether(
  { deployer }: TestChain,
  { markets, questions, interruptions }: Together,
  over: AbortSignal,
): Promise<void> {
  const { provider } = deployer;
  try {
    await provider.send('evm_setIntervalMining', [0]);
    while (!over.aborted) {
      await provider.send('anvil_mine', ['0x1']);
      const { number } = await latestBlock(deployer);
      await delay(1000 * testBlockSeconds, undefined, { signal: over });
      await Promise.all(markets.map((market) => market.caughtUp(number, over)));
      await questions.ended();
      await interruptions.take();
    }
  } catch (error) {
    if (!over.aborted) throw error;
  }
}

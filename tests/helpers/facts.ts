/** Writes the history of a market fact by fact, in the words of the protocol. Blocks pass one by one, a second each. */
import type { ChainFact, Verdict } from '../../src/protocol/facts.js';
import { applyFacts } from '../../src/protocol/market.js';
import { emptyMarket, type MarketView } from '../../src/protocol/marketView.js';
import { sha256Hex } from '../../src/protocol/requestAuth.js';
import type { Address, Hex32 } from '../../src/protocol/task.js';

type Place = 'blockNumber' | 'logIndex' | 'timestamp' | 'transactionHash';
type Unplaced = ChainFact extends infer Fact ? (Fact extends ChainFact ? Omit<Fact, Place> : never) : never;

export const alice: Address = '0x00000000000000000000000000000000000000A1';
export const bob: Address = '0x00000000000000000000000000000000000000b0';
export const carol: Address = '0x00000000000000000000000000000000000000C1';

export const round0 = {
  jobId: sha256Hex('job'),
  round: 0,
  specHash: sha256Hex('spec'),
  baseRoot: sha256Hex('base'),
  slotsPerRound: 2,
};

/** What a pin says beside its step: hashes that nothing hangs on. */
export const pinned = { before: sha256Hex('S_k'), next: sha256Hex('S_k+1'), stateBlob: sha256Hex('X_k') };

/** Unix second of block 0. */
export const genesis = 1_800_000_000;

export class History {
  facts: ChainFact[] = [];
  block = 0;

  get view(): MarketView {
    return applyFacts(emptyMarket(), this.facts);
  }

  get clock() {
    return { block: this.block, now: genesis + this.block };
  }

  get head() {
    return { number: this.block, timestamp: genesis + this.block };
  }

  /** Lets blocks pass in which nothing happens. */
  pass(blocks: number): this {
    this.block += blocks;
    return this;
  }

  tell(...facts: Unplaced[]): this {
    this.block += 1;
    const at = {
      blockNumber: this.block,
      timestamp: genesis + this.block,
      transactionHash: sha256Hex(`${this.block}`),
    };
    this.facts.push(...facts.map((fact, logIndex) => ({ ...at, logIndex, ...fact }) as ChainFact));
    return this;
  }

  /** The seeds of the first epochs are known already, so that nothing is due for their sake. */
  seeded(): this {
    const seeds = Array.from(
      { length: 50 },
      (_, epoch): Unplaced => ({
        ...{ type: 'SeedFulfilled', epoch, seed: sha256Hex(`seed ${epoch}`) },
      }),
    );
    this.block -= 1;
    return this.tell(...seeds);
  }

  stake(account: Address, role: 'solver' | 'verifier' = 'solver', seats = 1): this {
    return this.tell({ type: 'SeatsStaked', subnetId: 1, role, account, seats, amount: 100n });
  }

  post(
    slots: number[],
    change: Partial<typeof round0> & {
      price?: bigint;
      subnetId?: number;
      paramsVersion?: number;
      innerSteps?: number;
      solveSeconds?: number;
    } = {},
  ): Hex32[] {
    const { slotsPerRound: _, ...round } = { innerSteps: 4, solveSeconds: 10, ...round0, ...change };
    const batchId = sha256Hex(`batch ${this.block}`);
    const taskIds = slots.map((slot) => sha256Hex(`${batchId} ${slot}`));
    const rest = {
      buyer: carol,
      salt: this.block,
      subnetId: 1,
      paramsVersion: 1,
      epoch: 0,
      openBy: 0,
      price: 10n,
    };
    this.tell({ type: 'BatchCreated', batchId, slots, taskIds, ...rest, ...round });
    return taskIds;
  }

  assign(taskId: Hex32, solver: Address): this {
    return this.tell({ type: 'TaskAssigned', taskId, solver, attempt: 1, epoch: 0 });
  }

  /** seconds: until challengeBy */
  submit(taskId: Hex32, solver: Address, seconds = 10): this {
    const challengeBy = genesis + this.block + 1 + seconds;
    const roots = { traceRoot: sha256Hex('t'), resultRoot: sha256Hex('r'), leavesBlob: sha256Hex('l') };
    return this.tell({ type: 'TaskSubmitted', taskId, solver, ...roots, challengeBy });
  }

  /** seconds: until commitBy */
  drawChecker(taskId: Hex32, checker: Address, seconds = 10): this {
    const drawn = { attempt: 1, whole: true, roll: sha256Hex('roll') };
    const commitBy = genesis + this.block + 1 + seconds;
    return this.tell({ type: 'CheckerDrawn', taskId, checker, ...drawn, commitBy });
  }

  dispute(taskId: Hex32, disputer: Address): this {
    return this.tell(
      { type: 'CaseOpened', taskId, caseId: taskId, disputer, step: 0, ...pinned },
      { type: 'RoundOpened', caseId: taskId, round: 1, size: 3, payer: disputer, fee: 30n, epoch: 0 },
    );
  }

  /** Draws the round's panel and opens the vote.  seconds: until commitBy */
  seat(caseId: Hex32, round: number, voters: Address[], seconds = 10): this {
    const commitBy = genesis + this.block + 1 + seconds;
    return this.tell(
      ...voters.map((voter, seat): Unplaced => ({ type: 'SeatDrawn', caseId, round, seat, voter })),
      { type: 'VotingOpened', caseId, round, commitBy },
    );
  }

  commit(caseId: Hex32, round: number, seat: number, voter: Address): this {
    return this.tell({ type: 'VoteCommitted', caseId, round, seat, voter });
  }

  openReveal(caseId: Hex32, round: number, seconds = 10): this {
    return this.tell({ type: 'RevealOpened', caseId, round, revealBy: genesis + this.block + 1 + seconds });
  }

  reveal(caseId: Hex32, round: number, seat: number, voter: Address, verdict: Verdict): this {
    return this.tell({ type: 'VoteRevealed', caseId, round, seat, voter, verdict, answer: sha256Hex('a') });
  }

  /** seconds: 0 where there is no appeal; without a verdict: a void panel, or with some seconds, a tie */
  rule(caseId: Hex32, round: number, verdict: Verdict | 'none', seconds = verdict === 'none' ? 0 : 10): this {
    return this.tell({
      type: 'RoundRuled',
      caseId,
      round,
      verdict,
      appealBy: seconds === 0 ? 0 : genesis + this.block + 1 + seconds,
    });
  }

  settle(caseId: Hex32, verdict: Verdict | 'none', rounds: number): this {
    return this.tell({ type: 'CaseSettled', caseId, verdict, rounds, burned: 0n });
  }
}

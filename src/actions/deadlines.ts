/** How long the market waits for whom, from how fast this machine trains. */
import type { SubnetParams } from '../chain/params.js';
import type { RunConfig } from '../config/schema.js';

/** For transfers, blocks and epochs, on top of computation; a machine that is busy with other things needs most of it. With
 *  three, an audit on a machine at load 8 ended half a second before its window did, and the dispute came too late. */
const slackSeconds = 8;
const patienceSeconds = 30;

export interface Pace {
  /** one inner step with its state root, on an idle machine */
  stepSeconds: number;
  /** that the workers share */
  cores: number;
}

export type Deadlines = Pick<
  SubnetParams,
  'openSeconds' | 'solveSeconds' | 'challengeSeconds' | 'commitSeconds' | 'clockSeconds'
>;

/** A dispute must be possible whatever the load: audits go before solving, so the auditor has to replay what it is assigned in
 *  a round (as much as one other worker solves; under `all`, everything) while the other workers compute too, one task
 *  more in hand, and one to make the state before a wrong step. The other deadlines only matter when somebody is gone, so they are generous. */
export function deadlinesOf(config: RunConfig, { stepSeconds, cores }: Pace): Deadlines {
  const contention = Math.max(1, config.workers / cores);
  const taskSeconds = config.innerSteps * stepSeconds * contention;
  const audits = config.audit === 'all' ? config.slotsPerRound : seatsPerWorker(config);
  const auditSeconds = (audits + 2) * taskSeconds;
  const challengeSeconds = config.chain.challengeSeconds ?? auditSeconds + slackSeconds;
  const generousSeconds = Math.ceil(2 * (config.slotsPerRound + 1) * taskSeconds) + patienceSeconds;
  return {
    // With a convict gone there are more tasks than seats: one waits until another is final.
    openSeconds: generousSeconds + 2 * Math.ceil(challengeSeconds),
    solveSeconds: generousSeconds,
    challengeSeconds: Math.ceil(challengeSeconds),
    commitSeconds: generousSeconds,
    // A solver that has lost its trace computes the task again.
    clockSeconds: generousSeconds,
  };
}

/** Enough that a round can be given out at once. */
export function seatsPerWorker(config: RunConfig): number {
  return config.seatsPerWorker ?? Math.ceil(config.slotsPerRound / config.workers);
}

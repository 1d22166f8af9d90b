/** How long the market waits for whom, from how fast this machine trains. */
import type { SubnetParams } from '../chain/params.js';
import type { RunConfig } from '../config/schema.js';

/** For transfers, blocks and epochs, on top of computation. */
const slackSeconds = 3;
const patienceSeconds = 30;

export interface Pace {
  /** one inner step with its state root, on an idle machine */
  stepSeconds: number;
  /** that the workers share */
  cores: number;
}

export type Deadlines = Pick<
  SubnetParams,
  'openSeconds' | 'solveSeconds' | 'challengeSeconds' | 'commitSeconds'
>;

/** A dispute must be possible whatever the draw: the one auditor of all slots of a round, in the middle of a task of its
 *  own, has to get through them one after the other before the first window closes. The other deadlines only matter
 *  when somebody is gone, so they are generous. */
export function deadlinesOf(config: RunConfig, { stepSeconds, cores }: Pace): Deadlines {
  const contention = Math.max(1, config.workers / cores);
  const taskSeconds = config.innerSteps * stepSeconds * contention;
  const roundSeconds = (config.slotsPerRound + 1) * taskSeconds;
  const challengeSeconds = config.chain.challengeSeconds ?? roundSeconds + slackSeconds;
  const generousSeconds = Math.ceil(2 * roundSeconds) + patienceSeconds;
  return {
    // With a convict gone there are more tasks than seats: one waits until another is final.
    openSeconds: generousSeconds + 2 * Math.ceil(challengeSeconds),
    solveSeconds: generousSeconds,
    challengeSeconds: Math.ceil(challengeSeconds),
    commitSeconds: generousSeconds,
  };
}

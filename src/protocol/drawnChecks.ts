/** Whether a submission is checked, as the chain will see it. Twin: contracts/Audit.sol */
import { type EpochRules, epochOf } from './epochs.js';
import { type MarketView, scoreKey, type TaskView } from './marketView.js';
import { checkOf, rollOf, type SamplingTerms } from './sampling.js';
import type { Hex32 } from './task.js';

/** undrawn: the seed that decides is not known.  none: it is not checked.  due: a checker is to be drawn.
 *  open: somebody's move is waited for.  over: it was checked, or could not be */
export type CheckStanding = 'undrawn' | 'none' | 'due' | 'open' | 'over';

export function hasOpenCheck({ checks }: Pick<MarketView, 'checks'>, taskId: Hex32): boolean {
  const check = checks.get(taskId);
  return check !== undefined && check.phase !== 'over';
}

/** The epoch whose seed decides about a submission.  throws Error without one */
export function rollEpoch(
  { taskId, submittedBlock }: TaskView,
  rules: Pick<EpochRules, 'epochLength'>,
): number {
  if (submittedBlock === null) throw new Error(`task ${taskId} has no submission`);
  return epochOf(submittedBlock, rules);
}

/** Of a task that is submitted. */
export function standingOf(
  view: MarketView,
  task: TaskView,
  rules: Pick<EpochRules, 'epochLength'> & { sampling: SamplingTerms },
): CheckStanding {
  const check = view.checks.get(task.taskId);
  if (check !== undefined) return check.phase === 'over' ? 'over' : 'open';
  const seed = view.seeds.get(rollEpoch(task, rules));
  if (seed === undefined) return 'undrawn';
  const score = view.scores.get(scoreKey(task.subnetId, task.solver ?? '0x')) ?? 0;
  const drawn = checkOf(rules.sampling, rollOf(seed, task.taskId), BigInt(score));
  return drawn === 'none' ? 'none' : 'due';
}
